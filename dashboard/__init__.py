"""What people look at: pages, charts and the REST API. Not built yet."""
