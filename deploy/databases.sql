-- The provider's database is made by the image (POSTGRES_DB); this is the shop's.
CREATE DATABASE shop;
