"""What a reply costs, measured: `python -m bench` (`make bench`), on one machine and without any network.

    scenarios       the loads, and who is put under them
    load            the clients, a process of its own
    processes       servers as processes: start, stop, CPU seconds and memory of the whole tree
    rounds          one round of one scenario against one server
    baseline_sdk    thirty lines of FastAPI on the official SDK, for comparison
    floor           a byte proxy: what Python costs when it understands nothing of what passes
    statistics      medians, ratios, and the bars they have to stay under
    report, chart   the tables and the chart in docs/performance.md
    servers         the same application under four ASGI servers
    flame           where the time goes
    adapters        each vendor's adapter beside its SDK's own iterator

The upstream is always the simulator, a process of its own.
"""
