"""Previews a delegation plan with policy.wasm in Python (`pip install wasmtime`).

    python preview.py policy.wasm plan.json

A plan is a JSON array of steps (wasm/PROTOCOL.md, "Steps"). Exit status 0 when all are admitted, 3 when one is refused.
"""

import json
import sys

from wasmtime import Config, Engine, Instance, Module, Store, Trap, WasmtimeError

ABI_VERSION = 1
JSON = 1
FUEL_PER_CALL = 2_000_000_000  # about two seconds: no plan makes you wait for ever


class Policy:
    """One instance of the module, holding one tree."""

    def __init__(self, wasm: bytes):
        config = Config()
        config.consume_fuel = True
        self.store = Store(Engine(config))
        self.store.set_fuel(FUEL_PER_CALL)
        self.exports = Instance(self.store, Module(self.store.engine, wasm), []).exports(self.store)
        version = self._call("fulmar_abi_version")
        if version != ABI_VERSION:
            raise RuntimeError(f"policy.wasm speaks version {version}")

    def ask(self, request: dict) -> dict:
        """Asks a request, and returns the answer."""
        self.store.set_fuel(FUEL_PER_CALL)
        data = json.dumps(request).encode()
        address = self._call("fulmar_alloc", len(data)) & 0xFFFFFFFF
        if address == 0:
            raise RuntimeError(f"no memory for a request of {len(data)} bytes")
        self.exports["memory"].write(self.store, data, address)
        try:
            answer = self._call("fulmar_call", address, len(data), JSON) & 0xFFFFFFFFFFFFFFFF
        except (Trap, WasmtimeError) as trap:
            # The instance is done with: make a new one, and restore what you know.
            raise RuntimeError(f"policy.wasm failed: {self._panic() or trap}") from trap
        response = json.loads(self._text(answer))
        self._call("fulmar_free", answer >> 32)
        self._call("fulmar_free", address)
        if "malformed" in response:
            raise ValueError(response["malformed"]["message"])
        return response

    def _panic(self) -> str:
        self.store.set_fuel(10_000)
        return self._text(self._call("fulmar_panic") & 0xFFFFFFFFFFFFFFFF)

    def _text(self, both: int) -> str:
        address, length = both >> 32, both & 0xFFFFFFFF
        return bytes(self.exports["memory"].read(self.store, address, address + length)).decode()

    def _call(self, name: str, *parameters: int):
        return self.exports[name](self.store, *parameters)


def main() -> int:
    with open(sys.argv[1], "rb") as wasm, open(sys.argv[2], encoding="utf-8") as plan:
        policy, steps = Policy(wasm.read()), json.load(plan)
    plan = {"steps": steps, "after_refusal": "go_on", "look_at": ":"}
    verdicts = policy.ask({"plan": plan})["plan"]["verdicts"]
    for step, verdict in zip(steps, verdicts):
        [(kind, fields)] = step.items()
        what = f"{kind} {fields.get('name') or fields.get('domain')}"
        print(f"{'refused' if 'refused' in verdict else 'admitted'}: {what}")
        for reason in verdict.get("refused", {}).get("reasons", []):
            print(f"  {reason['sentence']}")
    return 0 if all("admitted" in verdict for verdict in verdicts) else 3


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) == 3 else "usage: python preview.py policy.wasm plan.json")
