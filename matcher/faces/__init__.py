"""Image to faces: what a photograph holds, how good it is, and a vector for each face."""
