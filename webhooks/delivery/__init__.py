"""Letters out: from a row that is due to an answer that is noted.

rounds                 claim what is due, have it sent, note what came of it
claims, claim_sql      which are taken next, and that nobody takes twice
letters                what goes out: address, headers, body, signed at that moment
schedule               when it is tried again and what an answer means; values only
notes, health          what a try leaves behind: attempts, and how its endpoint is
requeue, resending, catch_up    into the queue again
forwarding             to a developer's own machine while a command runs
retention              how long all that is kept
"""
