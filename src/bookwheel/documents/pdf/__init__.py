"""What a PDF page holds, and in which order it is read."""
