"""Buckets and objects in memory do what those on JetStream do."""

import pytest

from support.buckets_contract import KeyValueContract, ObjectsContract
from windlass_eventlog.memory import MemoryKeyValue, MemoryObjects


class TestMemoryKeyValue(KeyValueContract):
    @pytest.fixture
    def bucket(self) -> MemoryKeyValue:
        return MemoryKeyValue()


class TestMemoryObjects(ObjectsContract):
    @pytest.fixture
    def objects(self) -> MemoryObjects:
        return MemoryObjects()

    @pytest.fixture
    def small(self) -> MemoryObjects:
        return MemoryObjects(budget=2**20)
