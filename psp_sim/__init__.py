"""The provider: takes payments over HTTP, settles them, and tells about it by signed webhooks."""
