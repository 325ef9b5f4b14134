"""Which port of this machine stands for a listener's.

One for the whole engine: load balancers that listen on the same port share it. The choice is a row, so that it
stays when the engine restarts.
"""

from __future__ import annotations

from homeport.engine.proxy.ports import bindable
from homeport.engine.services.elbv2.tables import LISTENERS, PORTS
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Place, Scope

_LOOPBACK = "127.0.0.1"


def take_port(engine: Engine, port: int) -> None:
    """Choose what stands for a port, if nothing does yet; in the caller's transaction."""
    place = _place(engine)
    if PORTS.get(place, port) is None:
        taken = {row["bound"] for row in PORTS.list(place)}
        PORTS.put(place, {"port": port, "bound": engine.proxy.claims.choose(port, taken)})


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


def reach_from_containers(engine: Engine) -> None:
    """Have containers reach load balancers, too: at the host's address in their network, on the listeners' own ports.

    A port that is taken there (443 is the registry's) is left out.
    """
    gateway = engine.gateway
    if gateway is None:
        return
    place = _place(engine)
    for row in PORTS.list(place):
        if "inside" not in row:
            free = bindable(row["port"], (gateway,))
            PORTS.put(place, row | {"inside": gateway if free else None})


def inside_addresses(engine: Engine) -> dict[int, str]:
    """The ports on which containers reach load balancers, and at which address of the host."""
    return {row["port"]: row["inside"] for row in PORTS.list(_place(engine)) if row.get("inside")}


def choose_again(engine: Engine) -> None:
    """Replace ports that another program has taken before Envoy listened there; where it took a port that containers
    use, they do not reach it until it is free again."""
    place, ours = _place(engine), engine.proxy.sockets() if engine.proxy.started else set()
    with engine.store.transaction():
        rows = PORTS.list(place)
        taken = {row["bound"] for row in rows}
        for row in rows:
            inside = row.get("inside")
            if inside and (inside, row["port"]) not in ours and not bindable(row["port"], (inside,)):
                del row["inside"]
                PORTS.put(place, row)
            if (_LOOPBACK, row["bound"]) not in ours and not engine.proxy.claims.claim(row["bound"]):
                row["bound"] = engine.proxy.claims.choose(row["port"], taken)
                taken.add(row["bound"])
                PORTS.put(place, row)


def _place(engine: Engine) -> Place:
    return Place(engine.store, Scope(engine.account, engine.region))
