"""What each way of learning an outcome costs, and how late it is: measured, beside a model."""
