"""What CloudWatch Logs takes of what is written, whatever that is."""

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.log_events import LogEvent, pieces, requests

DAY = 24 * 3600 * 1000
events = st.lists(
    st.builds(
        lambda timestamp, letter, length: LogEvent(timestamp=timestamp, message=letter * length),
        st.integers(0, 3 * DAY),
        st.sampled_from("xé€𝄞"),
        st.integers(1, 200_000),
    ),
    max_size=30,
).map(lambda found: sorted(found, key=lambda event: event["timestamp"]))


@given(events)
def test_requests_have_all_events_in_their_order_and_none_is_too_large(given):
    sent = list(requests(given))
    assert [event for request in sent for event in request] == given
    for request in sent:
        assert sum(len(event["message"].encode()) + 26 for event in request) <= 1_048_576
        assert request[-1]["timestamp"] - request[0]["timestamp"] <= DAY


@given(st.sampled_from("xé€𝄞"), st.integers(0, 400_000))
def test_pieces_of_a_line_are_the_line(letter, length):
    cut = pieces(letter * length)
    assert "".join(cut) == letter * length
    assert all(len(piece.encode()) <= 262_144 - 26 for piece in cut)
