"""Which port of this machine stands for a listener's.

One for the whole engine: load balancers that listen on the same port share it. The choice is a row, so that it
stays when the engine restarts.
"""

from __future__ import annotations

from homeport.engine.proxy.ports import bindable, choose_port
from homeport.engine.services.elbv2.tables import LISTENERS, PORTS
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Place, Scope


def take_port(engine: Engine, port: int) -> None:
    """Choose what stands for a port, if nothing does yet; in the caller's transaction."""
    place = _place(engine)
    if PORTS.get(place, port) is None:
        taken = {row["bound"] for row in PORTS.list(place)}
        PORTS.put(place, {"port": port, "bound": choose_port(port, taken)})


def release_port(engine: Engine, port: int) -> None:
    """Give a port up when no listener has it any more; in the caller's transaction."""
    if not any(listener["Port"] == port for _, listener in LISTENERS.everywhere(engine.store)):
        PORTS.delete(_place(engine), port)


def bound_ports(engine: Engine) -> dict[int, int]:
    """Every port that listeners have, and what stands for it."""
    return {row["port"]: row["bound"] for row in PORTS.list(_place(engine))}


def replaced_ports(engine: Engine) -> dict[int, int]:
    """Those for which another one stands."""
    return {port: bound for port, bound in bound_ports(engine).items() if port != bound}


def choose_again(engine: Engine) -> None:
    """Before Envoy starts: replace ports that another program took while nothing of ours ran."""
    place = _place(engine)
    with engine.store.transaction():
        for row in PORTS.list(place):
            if not bindable(row["bound"]):
                PORTS.delete(place, row["port"])
                take_port(engine, row["port"])


def _place(engine: Engine) -> Place:
    return Place(engine.store, Scope(engine.account, engine.region))
