"""For SDKs on requests whose base cannot be chosen."""

import requests


class Led(requests.adapters.HTTPAdapter):
    """Leads the SDK's calls to another base, as its own cannot be chosen."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def send(self, request, **kwargs):
        request.url = self.base + "/" + request.url.split("/", 3)[3]
        return super().send(request, **kwargs)
