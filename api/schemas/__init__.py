"""What goes over the wire: pydantic models, one file a noun, with the functions that render them."""
