"""A sample shop: takes orders, requests their payment, and learns the outcome by webhook."""
