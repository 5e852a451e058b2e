"""The post room's part of the API: endpoints, events, and stores as PayNow has them."""
