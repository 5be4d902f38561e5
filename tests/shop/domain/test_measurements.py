"""Counts and ages as Prometheus and people read them."""

from shop.domain.measurements import Measurements, Staleness, prometheus_text


def test_counts_come_out_by_kind_in_the_text_format():
    measured = Measurements()
    measured.requests["polling"] += 3
    measured.useless["polling"] += 2
    measured.held["event-stream"] += 1
    text = prometheus_text(measured, {"dead_letters": ("events set aside", 4.0)})
    assert "# TYPE shop_tracking_requests_total counter\n" in text
    assert 'shop_tracking_requests_total{kind="polling"} 3\n' in text
    assert 'shop_tracking_useless_requests_total{kind="polling"} 2\n' in text
    assert 'shop_tracking_connections_held{kind="event-stream"} 1\n' in text
    assert text.endswith("# TYPE shop_dead_letters gauge\nshop_dead_letters 4\n")


def test_buckets_are_cumulative_and_end_with_all():
    measured = Measurements()
    for age_s in (0.01, 0.2, 4.0, 1e6):
        measured.learnt("payment.succeeded", age_s)
    text = prometheus_text(measured, {})
    name = 'shop_tracking_staleness_seconds_bucket{type="payment.succeeded",le='
    assert [
        f'{name}"{bound}"}} {count}' in text
        for bound, count in (("0.05", 1), ("0.25", 2), ("5", 3), ("86400", 3), ("+Inf", 4))
    ] == [True] * 5
    assert 'shop_tracking_staleness_seconds_count{type="payment.succeeded"} 4' in text


def test_a_label_cannot_break_out_of_its_quotes():
    measured = Measurements()
    measured.learnt('a"} 1\n\\', 1.0)
    assert r'type="a\"} 1\n\\",le="5"' in prometheus_text(measured, {})


def test_percentiles_are_by_nearest_rank_and_an_age_is_never_negative():
    staleness = Staleness()
    for age_s in (-3.0, *range(1, 100)):
        staleness.add(age_s)
    assert [staleness.percentile(p) for p in (50, 95, 99)] == [49, 94, 98]
    assert (staleness.max_s, min(staleness.latest), Staleness().percentile(50)) == (99, 0, 0)


def test_percentiles_are_those_of_the_latest_4096():
    staleness = Staleness()
    for age_s in (*[1000.0] * 4096, *range(4096)):
        staleness.add(float(age_s))
    assert [staleness.percentile(p) for p in (50, 100)] == [2047, 4095]
    assert staleness.count == 8192
