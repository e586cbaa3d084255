"""Training: one loop for teacher, plain and imitating student, its checkpoints, and the run around them."""
