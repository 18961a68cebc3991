"""The layouts of judged collections: what each looks like, and how it is read. One file a layout, one line in the registry."""
