"""Reads an OpenMetrics exposition by the parser of prometheus_client and prints it as JSON."""
import json
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families

print(json.dumps([
    {
        "name": family.name,
        "type": family.type,
        "unit": family.unit,
        "samples": [[s.name, s.labels, s.value] for s in family.samples],
    }
    for family in text_string_to_metric_families(sys.stdin.read())
]))
