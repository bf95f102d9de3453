"""The pure core: destinations, subscriptions, deliveries and transactions; requests in, effects out."""
