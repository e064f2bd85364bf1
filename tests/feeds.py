"""Small GTFS feeds written as a test needs them."""

import io
import zipfile

STOPS = """stop_id,stop_name,stop_lat,stop_lon
a,Alpha,59.30,18.00
b,Beta,59.31,18.00
c,Gamma,59.33,18.00
d,Delta,59.34,18.00
"""
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
TIMES = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
DATE = "2024-02-06"  # a Tuesday


def town(**changes):
    """Texts of a sound feed: one bus from a by b to c at 8 and 9 on weekdays; None takes a file out."""
    texts = {
        "agency": "agency_id,agency_name,agency_url,agency_timezone\nx,Town Transit,https://example.org,Europe/Stockholm\n",
        "stops": STOPS,
        "routes": "route_id,agency_id,route_short_name,route_type\n1,x,1,3\n",
        "trips": "route_id,service_id,trip_id\n1,week,t1\n1,week,t2\n",
        "stop_times": TIMES
        + "t1,08:00:00,08:00:00,a,1\nt1,08:05:00,08:06:00,b,2\nt1,08:15:00,08:15:00,c,3\n"
        + "t2,09:00:00,09:00:00,a,1\nt2,09:05:00,09:06:00,b,2\nt2,09:15:00,09:15:00,c,3\n",
        "calendar": WEEK + "week,1,1,1,1,1,0,0,20240101,20240630\n",
    }
    return {name: text for name, text in {**texts, **changes}.items() if text is not None}


def zipped(texts, folder=""):
    """Return a feed as the bytes of a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in texts.items():
            full = name if "." in name else f"{name}.txt"
            archive.writestr(folder + full, text if isinstance(text, bytes) else text.encode())
    return stream.getvalue()


def write(path, texts, folder=""):
    """Write a feed to a zip file and return its path."""
    path.write_bytes(zipped(texts, folder))
    return path


def trips(*trips, service="week", route="1"):
    """Return trips.txt and stop_times.txt of trips given as (id, [(stop, arrival, departure), …]); "" is a blank."""
    listed = "route_id,service_id,trip_id\n" + "".join(f"{route},{service},{name}\n" for name, _ in trips)
    times = TIMES + "".join(
        f"{name},{arrive},{depart},{stop},{place}\n"
        for name, calls in trips
        for place, (stop, arrive, depart) in enumerate(calls, 1)
    )
    return {"trips": listed, "stop_times": times}


def clock(seconds):
    """Write seconds as GTFS does."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
