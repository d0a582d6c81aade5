"""Provider batches: many requests in one order, at a lower price, answered within a day.

Public: `exchange.BatchExchange`, `service.service_for`.
"""
