"""Each fault that the service must bear is named by tests that make it happen."""

from tests.faults import matrix


def test_each_fault_befalls_real_processes_on_each_database_that_can_have_it() -> None:
    faults = [fault for _, rows in matrix.parts() for fault in rows]
    found = matrix.tests()
    assert {name for test in found for name in test.faults} <= {fault.name for fault in faults}
    for fault in faults:
        real = [test for test in found if test.is_real and fault.name in test.faults]
        borne = {name for test in real for name in test.databases}
        assert borne == fault.databases, fault.name


def test_the_page_of_faults_says_what_the_tests_say() -> None:
    assert matrix.DOCUMENT.read_text() == matrix.document(), "Run `make requirements`."
