"""HTTP client for providers: every request throttled, every failure typed, no secret in any message."""

from mj_http.client import HttpClient as HttpClient
from mj_http.failure import failure as failure
from mj_http.response import Response as Response
from mj_http.transport import Transport as Transport
from mj_http.transport import TransportFailed as TransportFailed
