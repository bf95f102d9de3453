"""What is read from PostgreSQL: one statement for each question, with one right plan."""

from __future__ import annotations

# Bodies behind the byte limit stay where they are: their length is known without reading them.
_PAGE_OF = """
    SELECT urgency, message_id, timestamp_ms, expires_ms, due_ms, delivery_count, is_persistent, destination,
           headers::text, body, ahead
    FROM (SELECT *, row_number() OVER place AS number, sum(octet_length(body)) OVER place AS bytes,
                 count(*) OVER () AS ahead
          FROM (SELECT * FROM stompd_message WHERE queue_id = %b::bigint AND {condition}
                ORDER BY {order} LIMIT %b::bigint + 1) AS message
          WINDOW place AS (ORDER BY {order})) AS message
    WHERE number <= %b::bigint AND (bytes <= %b::bigint OR number = 1)
    ORDER BY {order}
"""
PAGE = _PAGE_OF.format(
    condition="(urgency, message_id) > (%b::smallint, %b::bigint) AND due_ms <= %b::bigint",
    order="urgency, message_id",
)
DUE_PAGE = _PAGE_OF.format(
    condition="due_ms > 0 AND (due_ms, message_id) > (%b::bigint, %b::bigint) AND due_ms <= %b::bigint",
    order="due_ms, message_id",
)
EXPIRED = """
    SELECT expires_ms, queue_id, message_id, urgency, due_ms, octet_length(body) FROM stompd_message
    WHERE expires_ms > 0 AND (expires_ms, queue_id, message_id) > (%b::bigint, %b::bigint, %b::bigint)
        AND expires_ms <= %b::bigint
    ORDER BY expires_ms, queue_id, message_id LIMIT %b::bigint
"""
MEASURE = "SELECT coalesce(sum(octet_length(body)), 0)::bigint FROM stompd_message WHERE queue_id = %b::bigint"
LAST_VALUES = """
    SELECT queue_id, urgency, message_id, headers ->> 'last-value-key', octet_length(body) FROM stompd_message
    WHERE (headers ->> 'last-value-key') IS NOT NULL ORDER BY message_id
"""
