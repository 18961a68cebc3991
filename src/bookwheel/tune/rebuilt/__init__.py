"""What a library cannot change in place: other units, passage lengths and models, tried in temporary copies."""
