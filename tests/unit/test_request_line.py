import pytest

from vitrina.entrypoints.request_line import encoded

REST = "Host: x\r\nX-Name: é\r\n\r\né".encode()


def test_a_target_is_percent_encoded() -> None:
    head = "GET /v1/products?q=café&brand=Ñandú HTTP/1.1\r\n".encode()

    assert encoded(head + REST) == (
        b"GET /v1/products?q=caf%C3%A9&brand=%C3%91and%C3%BA HTTP/1.1\r\n" + REST
    )


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v1/products?q=caf%C3%A9 HTTP/1.1\r\n" + REST,
        "GET /v1/products?q=café".encode(),
        "GET /v1/products?q=café HTTP/2\r\n".encode(),
        'GET café\r\n{"title": "é"}'.encode(),
        "é GET /é HTTP/1.1\r\n".encode(),
    ],
)
def test_all_else_stays_as_it_is(data: bytes) -> None:
    assert encoded(data) == data
