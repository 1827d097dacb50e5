"""pywa reads what the gateway and its simulator send, and writes the same itself.

From one side the SDK takes the webhooks of the simulator: their signature, every field, and the files that they name; and it is a
client of the simulator, which has to take its calls. From the other side this program stands where Meta's API is: what the channel
calls there is compared with what the SDK calls for the same message; and webhooks that the SDK reads must arrive.
"""

import sys

import gateway
import simulated
from asking import found, serve
from graph import Graph


def main():
    api = serve(Graph)
    gateway.run(api, simulated.run(api + "/hook"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
