"""The functions host as an HTTP client sees it: ``python -m local.functions_host`` serves small apps of our own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from waiting import wait_until

from local.functions_host.function_app import InvalidApp, read_function_app
from local.functions_host.local_settings import read_local_settings

REPOSITORY = Path(__file__).parents[2]
TRIGGER = {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "function"}
ANSWER = {"type": "http", "direction": "out", "name": "$return"}

DESCRIBE = """
import json
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    try:
        parsed = {"json": req.get_json()}
    except ValueError as error:
        parsed = {"error": str(error), "cause": type(error.__cause__).__name__}
    described = {"method": req.method, "url": req.url, "headers": dict(req.headers), "params": dict(req.params),
                 "route_params": dict(req.route_params), "body": req.get_body().decode("latin-1"), "parsed": parsed}
    return func.HttpResponse(json.dumps(described), mimetype="application/json")
"""
HELLO = "import azure.functions as func\ndef main(req):\n    return func.HttpResponse('hello')\n"


class App:
    """A function app in a directory of its own, to be filled and then served."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.write("host.json", {"version": "2.0"})

    def write(self, name: str, content: Any) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    def function(
        self, name: str, code: str, script: str = "__init__.py", entry_point: str = "main", **trigger: Any
    ) -> None:
        self.write(f"{name}/{script}", code)
        declared = {"scriptFile": script, "entryPoint": entry_point, "bindings": [{**TRIGGER, **trigger}, ANSWER]}
        self.write(f"{name}/function.json", declared)

    def start(self, *options: str, **environ: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "local.functions_host",
            "--app",
            str(self.root),
            "--data",
            str(self.root / "data"),
        ]
        command += ["--port", "functions=0", "--ready-file", str(self.root / "ready.json"), *options]
        environment = {**os.environ, **environ}
        with open(self.root / "log", "w") as log:
            return subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
            )

    @property
    def log(self) -> str:
        return (self.root / "log").read_text()

    @contextmanager
    def served(self, *options: str, **environ: str) -> Iterator[str]:
        process = self.start(*options, **environ)
        try:
            wait_until(lambda: (self.root / "ready.json").exists() or process.poll() is not None, bool, seconds=60)
            assert process.poll() is None, self.log
            yield json.loads((self.root / "ready.json").read_text())["url"]
        finally:
            process.kill()
            process.wait()

    def refusal(self, *options: str) -> str:
        """The one line that the host prints when it cannot serve the app."""
        process = self.start(*options)
        assert process.wait(timeout=60) == 1
        [line] = self.log.strip().splitlines()
        return line


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path / "app")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, App]]:
    """One app for the tests that only differ in what they ask and in which function they ask."""
    app = App(tmp_path_factory.mktemp("served") / "app")
    app.function("describe", DESCRIBE)
    app.function("item", DESCRIBE, route="users/{user}/items/{item}")
    app.function("mine", HELLO, route="users/me/items/{item}")
    app.function("onlyPost", HELLO, methods=["post"])
    app.function("elsewhere", HELLO.replace("main", "handle"), script="app.py", entry_point="handle")
    for name, code in FUNCTIONS.items():
        app.function(name, code)
    with app.served() as url:
        yield url, app


@pytest.fixture
def url(served: tuple[str, App]) -> str:
    return served[0]


FUNCTIONS = {
    "boom": "def main(req):\n    raise RuntimeError('the reason is for the log')\n",
    "refuses": "import azure.functions as func\ndef main(req):\n    return func.HttpResponse(status_code=422)\n",
    "takesLong": (
        "import time\nimport azure.functions as func\n"
        "def main(req):\n    time.sleep(1.1)\n    return func.HttpResponse('at last')\n"
    ),
    "exits": "import sys\ndef main(req):\n    sys.exit(3)\n",
    "returnsNone": "def main(req):\n    return None\n",
    "returnsDict": "def main(req):\n    return {'body': 'x'}\n",
    "returnsText": "def main(req) -> str:\n    return 'plain'\n",
    "hiddenAsync": "async def inner(req):\n    pass\ndef main(req):\n    return inner(req)\n",
    "brokenImport": "import nothing_of_this_name\ndef main(req):\n    pass\n",
    "noEntryPoint": "def other(req):\n    pass\n",
    "callableInstance": "class Main:\n    def __call__(self, req):\n        pass\nmain = Main()\n",
    "extraDefault": "def main(req, store=None):\n    pass\n",
    "otherName": "def main(request):\n    pass\n",
    "wrongRequestType": "def main(req: dict):\n    pass\n",
    "wrongContextType": "def main(req, context: dict):\n    pass\n",
    "unionReturn": (
        "import azure.functions as func\nfrom typing import Optional\n"
        "def main(req) -> Optional[func.HttpResponse]:\n    pass\n"
    ),
    "hiddenType": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import azure.functions as func\n"
        "def main(req: 'func.HttpRequest'):\n    pass\n"
    ),
    "lateAnnotations": "from __future__ import annotations\n" + HELLO,
    "rich": """
import azure.functions as func
from http import HTTPStatus
def main(req):
    response = func.HttpResponse('[1]', status_code=HTTPStatus.CREATED, mimetype='application/json',
                                 headers={'Retry-After': '5', 'Content-Length': '999'})
    response.headers.add('Set-Cookie', 'a=1; Path=/')
    response.headers.add('Set-Cookie', 'b=2; HttpOnly')
    return response
""",
    "empty": "import azure.functions as func\ndef main(req):\n    return func.HttpResponse(status_code=204)\n",
    "context": """
import json
import azure.functions as func
def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return func.HttpResponse(json.dumps([
        context.invocation_id == context.thread_local_storage.invocation_id, len(context.invocation_id),
        context.function_name, context.function_directory,
        context.trace_context.trace_parent, context.trace_context.trace_state]))
""",
    "logs": """
import logging
import azure.functions as func
def main(req):
    logging.debug('too quiet to be shown')
    logging.info('said by the root logger')
    logging.getLogger('azure.functions.inner').warning('said by the system')
    return func.HttpResponse('ok')
""",
    "whereAmI": """
import json, os, sys, __app__.whereAmI
import azure.functions as func
calls = []
def main(req):
    calls.append(1)
    return func.HttpResponse(json.dumps([__name__, os.getcwd(), sys.path[-1], len(calls)]))
""",
}


class TestRequests:
    def test_the_body_is_bytes_and_json_is_parsed_from_it(self, url: str) -> None:
        described = requests.post(f"{url}/api/describe?day=1", data='{"text": "hé"}'.encode()).json()

        assert (described["method"], described["parsed"]) == ("POST", {"json": {"text": "hé"}})
        assert described["url"] == f"{url}/api/describe?day=1"

    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            (b"", "JSONDecodeError"),
            (b"{", "JSONDecodeError"),
            (b"\xef\xbb\xbf{}", "JSONDecodeError"),
            (b"\xff", "UnicodeDecodeError"),
        ],
    )
    def test_a_body_that_is_not_json_raises_the_value_error_of_production(
        self, url: str, body: bytes, cause: str
    ) -> None:
        described = requests.post(f"{url}/api/describe", data=body).json()

        assert described["parsed"] == {"error": "HTTP request does not contain valid JSON data", "cause": cause}

    def test_repeated_query_keys_are_joined_and_empty_values_dropped(self, url: str) -> None:
        described = requests.get(f"{url}/api/describe?Tag=a&empty=&tag=b&flag").json()

        assert described["params"] == {"Tag": "a,b"}

    def test_repeated_headers_are_joined(self, url: str) -> None:
        described = json.loads(raw(url, "GET /api/describe HTTP/1.1", "X-Tag: a", "x-tag: b"))

        assert described["headers"]["x-tag"] == "a,b"

    def test_a_chunked_body_arrives_empty_as_in_azure(self, served: tuple[str, App]) -> None:
        url, app = served

        described = requests.post(f"{url}/api/describe", data=iter([b'{"a"', b":1}"])).json()

        assert described["body"] == ""
        assert "describe gets an empty body" in app.log


class TestRouting:
    @pytest.mark.parametrize("path", ["/api/onlyPost", "/api/onlypost", "/API/ONLYPOST", "/api/onlyPost/"])
    def test_a_route_matches_in_any_case_and_with_one_trailing_slash(self, url: str, path: str) -> None:
        assert requests.post(url + path).text == "hello"

    @pytest.mark.parametrize("path", ["/api/onlyPost//", "/api/nothing", "/onlyPost", "/api", "/api/onlyPost/more"])
    def test_an_unknown_route_is_an_empty_404(self, url: str, path: str) -> None:
        answer = requests.post(url + path)

        assert (answer.status_code, answer.content) == (404, b"")

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
    def test_a_method_that_is_not_listed_is_404_not_405(self, url: str, method: str) -> None:
        assert requests.request(method, f"{url}/api/onlyPost").status_code == 404

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_a_function_without_a_list_of_methods_takes_every_method(self, url: str, method: str) -> None:
        assert requests.request(method, f"{url}/api/describe").json()["method"] == method

    def test_route_parameters_are_decoded(self, url: str) -> None:
        described = requests.get(f"{url}/api/users/J%C3%B6rg/items/7").json()

        assert described["route_params"] == {"user": "Jörg", "item": "7"}

    def test_a_literal_segment_wins_over_a_parameter(self, url: str) -> None:
        assert requests.get(f"{url}/api/users/me/items/7").text == "hello"

    def test_the_script_and_the_entry_point_may_have_other_names(self, url: str) -> None:
        assert requests.get(f"{url}/api/elsewhere").text == "hello"

    def test_the_root_of_the_host_is_a_page(self, url: str) -> None:
        assert requests.get(url).headers["Content-Type"].startswith("text/html")

    @pytest.mark.parametrize(("prefix", "path"), [("", "/hello"), ("v1/app", "/v1/app/hello")])
    def test_host_json_sets_the_route_prefix(self, app: App, prefix: str, path: str) -> None:
        app.write("host.json", {"version": "2.0", "extensions": {"http": {"routePrefix": prefix}}})
        app.function("hello", HELLO)

        with app.served() as url:
            assert requests.get(url + path).text == "hello"


class TestAnswers:
    def test_status_headers_and_each_cookie_are_passed_on(self, url: str) -> None:
        answer = requests.get(f"{url}/api/rich")

        assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (201, [1], "5")
        assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == ("application/json", "3")
        assert dict(answer.cookies) == {"a": "1", "b": "2"}

    def test_an_answer_of_text_has_a_charset(self, url: str) -> None:
        assert requests.post(f"{url}/api/onlyPost").headers["Content-Type"] == "text/plain; charset=utf-8"

    def test_an_answer_may_be_empty(self, url: str) -> None:
        assert requests.get(f"{url}/api/empty").status_code == 204

    @pytest.mark.parametrize(
        ("function", "logged"),
        [
            ("boom", "RuntimeError: the reason is for the log"),
            ("exits", "exits failed: it raised SystemExit"),
            ("returnsNone", "returnsNone failed: it returned NoneType"),
            ("returnsDict", "returnsDict failed: it returned dict"),
            ("returnsText", "returnsText failed: it returned str"),
            ("hiddenAsync", "hiddenAsync failed: it returned coroutine"),
        ],
    )
    def test_a_failing_function_is_an_empty_500_and_a_reason_in_the_log(
        self, served: tuple[str, App], function: str, logged: str
    ) -> None:
        url, app = served

        answer = requests.get(f"{url}/api/{function}")

        assert (answer.status_code, answer.content) == (500, b"")
        assert logged in app.log
        assert requests.get(f"{url}/api/describe").ok


class TestLoading:
    @pytest.mark.parametrize(
        ("function", "reason"),
        [
            ("brokenImport", "No module named 'nothing_of_this_name'"),
            ("noEntryPoint", "__init__.py has no function main"),
            ("callableInstance", "__init__.py has no function main"),
            ("extraDefault", "binds req, the function takes req, store"),
            ("otherName", "binds req, the function takes request"),
            ("wrongRequestType", "req must be annotated with func.HttpRequest"),
            ("wrongContextType", "context must be annotated with func.Context"),
            ("unionReturn", "what it returns must be annotated with func.HttpResponse"),
            ("hiddenType", "its annotations cannot be evaluated"),
        ],
    )
    def test_a_function_that_the_worker_refuses_to_load_answers_500(
        self, served: tuple[str, App], function: str, reason: str
    ) -> None:
        url, app = served

        answer = requests.get(f"{url}/api/{function}")

        assert (answer.status_code, answer.content) == (500, b"")
        assert reason in app.log

    def test_annotations_may_be_evaluated_late(self, url: str) -> None:
        assert requests.get(f"{url}/api/lateAnnotations").text == "hello"

    def test_a_function_is_imported_once_below_app_with_the_root_last_on_the_path(
        self, served: tuple[str, App]
    ) -> None:
        url, app = served

        first, second = (requests.get(f"{url}/api/whereAmI").json() for _ in range(2))

        assert first == ["__app__.whereAmI", str(app.root), str(app.root), 1]
        assert second[3] == 2

    def test_functions_share_the_modules_at_the_root_of_the_app_and_not_those_of_another(self, app: App) -> None:
        app.write("shared/__init__.py", "greeting = 'from this app'")
        app.function(
            "hello", HELLO.replace("'hello'", "greeting").replace("import", "from shared import greeting\nimport", 1)
        )

        with app.served() as url:
            assert requests.get(f"{url}/api/hello").text == "from this app"

    def test_the_context_describes_the_invocation(self, served: tuple[str, App]) -> None:
        url, app = served

        context = requests.get(f"{url}/api/context", headers={"traceparent": "00-ab-cd-01", "tracestate": "a=b"}).json()

        assert context == [True, 36, "context", str(app.root / "context"), "00-ab-cd-01", "a=b"]

    def test_the_functions_are_listed_as_func_start_does(self, served: tuple[str, App]) -> None:
        url, app = served

        assert f"\n\tonlyPost: [POST] {url}/api/onlyPost\n\n" in app.log
        assert f"\n\tdescribe: [] {url}/api/describe\n\n" in app.log

    def test_the_log_of_a_function_is_shown_from_the_level_info(self, served: tuple[str, App]) -> None:
        url, app = served

        requests.get(f"{url}/api/logs")

        assert "said by the root logger" in app.log
        assert "too quiet" not in app.log
        assert "said by the system" not in app.log

    def test_a_call_that_succeeds_within_a_second_adds_no_line_of_the_host(self, app: App) -> None:
        app.function("hello", HELLO)

        def added_by_a_call(url: str) -> str:
            before = app.log
            assert requests.post(f"{url}/api/hello").text == "hello"
            return app.log.removeprefix(before)

        with app.served() as url:
            # A busy machine can make one call last longer than a second, and the host rightly logs that one.
            assert wait_until(lambda: added_by_a_call(url), lambda added: added == "") == ""

    @pytest.mark.parametrize(
        ("function", "status"), [("boom", 500), ("refuses", 422), ("takesLong", 200), ("nothing", 404)]
    )
    def test_a_call_that_fails_or_takes_long_is_one_line_without_its_query(
        self, served: tuple[str, App], function: str, status: int
    ) -> None:
        url, app = served
        before = app.log

        requests.post(f"{url}/api/{function}?code=secret")

        [line] = [line for line in app.log.removeprefix(before).splitlines() if f"POST /api/{function} " in line]
        assert f"POST /api/{function} -> {status}" in line
        assert "secret" not in app.log


THREADS = """
import contextvars, logging, threading
from concurrent.futures import ThreadPoolExecutor
import azure.functions as func
log = logging.getLogger('product.of.ours')
log.warning('at import')
def main(req, context):
    def with_the_id():
        context.thread_local_storage.invocation_id = context.invocation_id
        log.info('%s in a thread that was given the id', 'logged')
    log.info('in the own thread')
    with ThreadPoolExecutor(1, 'pool') as pool:
        pool.submit(log.error, 'in a pool thread').result()
        pool.submit(contextvars.copy_context().run, log.error, 'in a pool thread with a copied context').result()
        pool.submit(with_the_id).result()
    return func.HttpResponse(context.invocation_id)
"""

TASKS = """
import asyncio, logging
import azure.functions as func
arrived = []
async def main(req, context):
    async def log(text):
        logging.info(text)
    arrived.append(1)
    while len(arrived) < 2:
        await asyncio.sleep(0.01)
    await log(req.params['name'] + ' in the function')
    await asyncio.create_task(log(req.params['name'] + ' in a task'))
    await asyncio.to_thread(logging.info, 'in a thread of asyncio')
    return func.HttpResponse(context.invocation_id)
"""

STRUCTURED = """
import json, logging
import azure.functions as func
def main(req, context):
    logging.info('%s', json.dumps({'message': 'post 7 is tweeted', 'event': 'post_state_changed', 'post_id': 7,
                                   'invocation_id': context.invocation_id}))
    traceback = 'Traceback\\n  KeyError'
    logging.info(json.dumps({'message': 'it failed', 'invocation_id': 'another', 'traceback': traceback}))
    logging.info(json.dumps({'message': 'just a sentence'}))
    logging.info(json.dumps({'no': 'sentence'}))
    return func.HttpResponse(context.invocation_id)
"""

LATE = """
import logging, threading
import azure.functions as func
answered, threads = threading.Event(), []
def main(req, context):
    def late():
        context.thread_local_storage.invocation_id = context.invocation_id
        answered.wait()
        logging.error('after the answer')
    if not threads:
        threads.append(threading.Thread(target=late, name='late'))
        threads[0].start()
    else:
        answered.set()
        threads[0].join()
    return func.HttpResponse('ok')
"""


class TestTheLogOfAnInvocation:
    """What Azure keeps was observed with azure-functions-runtime-v1 1.2.0 and read in the source of its host."""

    def test_a_record_of_the_functions_own_thread_is_shown_with_the_invocation_id(self, app: App) -> None:
        app.function("threads", THREADS)

        with app.served() as url:
            invocation_id = requests.get(f"{url}/api/threads").text

        assert re.search(rf"^[\d:.]+  functions  \[{invocation_id}\] in the own thread$", app.log, re.MULTILINE)
        assert f"[{invocation_id}] logged in a thread that was given the id\n" in app.log

    def test_a_line_that_is_a_json_object_is_shown_as_its_sentence_with_all_its_fields(self, app: App) -> None:
        app.function("structured", STRUCTURED)

        with app.served() as url:
            invocation_id = requests.get(f"{url}/api/structured").text

        assert f"[{invocation_id}] post 7 is tweeted  (event post_state_changed, post_id 7)\n" in app.log
        assert f"[{invocation_id}] it failed  (invocation_id another)\nTraceback\n  KeyError\n" in app.log
        assert f"[{invocation_id}] just a sentence\n" in app.log
        assert f'[{invocation_id}] {{"no": "sentence"}}\n' in app.log

    def test_records_of_other_threads_are_dropped_and_the_host_says_how_many(self, app: App) -> None:
        app.function("threads", THREADS)

        with app.served() as url:
            before = app.log
            requests.get(f"{url}/api/threads")

        assert "in a pool thread" not in app.log
        [warning] = [line for line in app.log.removeprefix(before).splitlines() if "dropped" in line]
        assert warning.endswith(
            "threads: 2 log records without the id of a running invocation are dropped, as Azure drops them"
            " (logger product.of.ours in thread pool_0)"
        )

    def test_records_of_an_import_are_dropped(self, app: App) -> None:
        app.function("threads", THREADS)

        with app.served():
            assert "at import" not in app.log
            assert "threads: 1 log record without the id of a running invocation is dropped" in app.log

    def test_a_record_that_comes_after_the_answer_is_dropped(self, app: App) -> None:
        app.function("late", LATE)

        with app.served() as url:
            assert [requests.get(f"{url}/api/late").text for _ in range(2)] == ["ok", "ok"]

        assert "after the answer" not in app.log
        assert "(logger root in thread late)" in app.log

    def test_each_task_of_an_async_function_logs_under_its_own_invocation(self, app: App) -> None:
        app.function("tasks", TASKS)

        with app.served() as url, ThreadPoolExecutor(2) as pool:
            ids = dict(zip("ab", pool.map(lambda n: requests.get(f"{url}/api/tasks?name={n}").text, "ab"), strict=True))

        assert len(set(ids.values())) == 2
        for name, invocation_id in ids.items():
            assert f"[{invocation_id}] {name} in the function\n" in app.log
            assert f"[{invocation_id}] {name} in a task\n" in app.log
        assert "in a thread of asyncio" not in app.log

    def test_a_function_that_logs_in_its_own_thread_alone_causes_no_warning(self, served: tuple[str, App]) -> None:
        url, app = served
        before = app.log

        requests.get(f"{url}/api/logs")

        assert "dropped" not in app.log.removeprefix(before)


MEET = """
import os, threading
import azure.functions as func
meeting = threading.Barrier(int(os.environ['PYTHON_THREADPOOL_THREAD_COUNT']))
def main(req):
    meeting.wait(timeout=60)
    return func.HttpResponse(threading.current_thread().name)
"""


class TestConcurrency:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_sync_functions_run_side_by_side_in_as_many_threads_as_set(self, app: App, threads: int) -> None:
        app.function("meet", MEET)

        with app.served(PYTHON_THREADPOOL_THREAD_COUNT=str(threads)) as url, ThreadPoolExecutor(6) as pool:
            names = set(pool.map(lambda _: requests.get(f"{url}/api/meet").text, range(6)))

        assert len(names) == threads

    def test_async_functions_wait_for_each_other_on_one_loop(self, app: App) -> None:
        meeting = """
            import asyncio
            import azure.functions as func
            here = []
            async def main(req):
                here.append(1)
                while len(here) < 20:
                    await asyncio.sleep(0.01)
                return func.HttpResponse('met')
        """
        app.function("meet", "\n".join(line[12:] for line in meeting.splitlines()))

        with app.served() as url, ThreadPoolExecutor(20) as pool:
            assert set(pool.map(lambda _: requests.get(f"{url}/api/meet").text, range(20))) == {"met"}

    def test_a_call_that_outlasts_the_shutdown_is_abandoned(self, app: App) -> None:
        app.function(
            "hang", HELLO.replace("return", "import time; print('hanging', flush=True); time.sleep(60); return")
        )
        process = app.start()
        wait_until((app.root / "ready.json").exists, bool, seconds=60)
        url = json.loads((app.root / "ready.json").read_text())["url"]
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(requests.get, f"{url}/api/hang")
            wait_until(lambda: app.log, lambda log: "hanging" in log, seconds=60)

            process.send_signal(signal.SIGTERM)

            assert process.wait(timeout=60) == 0
            assert call.exception() is not None
        assert "1 calls did not end in time" in app.log


class TestLimits:
    def test_a_body_above_the_limit_is_413(self, app: App) -> None:
        app.function("describe", DESCRIBE)

        with app.served(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="10") as url:
            assert requests.post(f"{url}/api/describe", data=b"x" * 10).json()["body"] == "x" * 10
            assert requests.post(f"{url}/api/describe", data=b"x" * 11).status_code == 413


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-y"}


class TestCors:
    def test_without_a_list_of_origins_the_host_answers_no_cors(self, url: str) -> None:
        preflight = requests.options(f"{url}/api/onlyPost", headers={"Origin": "http://a", **PREFLIGHT})

        assert preflight.status_code == 404
        assert (
            "Access-Control-Allow-Origin"
            not in requests.get(f"{url}/api/describe", headers={"Origin": "http://a"}).headers
        )

    def test_cors_allows_everything_to_a_listed_origin_and_nothing_to_another(self, app: App) -> None:
        app.function("hello", HELLO, methods=["post"])

        with app.served("--cors", "http://localhost:3000,http://a") as url:
            listed = requests.options(f"{url}/api/hello", headers={"Origin": "http://a", **PREFLIGHT})
            other = requests.options(f"{url}/api/hello", headers={"Origin": "http://b", **PREFLIGHT})
            call = requests.post(f"{url}/api/hello", headers={"Origin": "http://a"})
            failed = requests.post(f"{url}/api/nothing", headers={"Origin": "http://a"})

        assert (listed.status_code, other.status_code) == (204, 204)
        assert cors_headers(listed) == {
            "access-control-allow-origin": "http://a",
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization,x-y",
        }
        assert cors_headers(other) == {}
        assert "OPTIONS /api/hello is blocked: pages of http://b may not call the functions" in app.log
        assert (call.text, call.headers["Vary"]) == ("hello", "Origin")
        assert cors_headers(call) == cors_headers(failed) == {"access-control-allow-origin": "http://a"}

    def test_local_settings_may_list_the_origins_of_cors(self, app: App) -> None:
        app.function("hello", HELLO)
        app.write("local.settings.json", {"IsEncrypted": False, "Host": {"CORS": "*"}})

        with app.served() as url:
            assert (
                requests.get(f"{url}/api/hello", headers={"Origin": "http://a"}).headers["Access-Control-Allow-Origin"]
                == "*"
            )


ENVIRON = """
import json, os
import azure.functions as func
at_import = dict(os.environ)
def main(req):
    return func.HttpResponse(json.dumps(at_import))
"""


class TestSettings:
    def test_the_environment_wins_over_the_file_which_wins_over_the_stack(self, app: App) -> None:
        app.function("environ", ENVIRON)
        values = {
            "A": "file",
            "B": "file",
            "C": "file",
            "D": 5,
            "NUMBER": 5,
            "NOTHING": None,
            "X_BASE_URL": "http://file",
        }
        app.write("local.settings.json", {"IsEncrypted": False, "Values": values})

        with app.served("--port", "hasura=4100", A="process", B="", NUMBER="6") as url:
            environ = requests.get(f"{url}/api/environ").json()

        assert [environ[name] for name in ("A", "B", "C", "D", "NUMBER")] == ["process", "file", "file", "5", "6"]
        assert "NOTHING" not in environ
        assert (environ["X_BASE_URL"], environ["APP_BASE_API"]) == ("http://file", "http://localhost:4100")
        assert len(environ["WEBHOOK_SECRET"]) == 64
        assert environ["AZURE_FUNCTIONS_ENVIRONMENT"] == "Development"
        assert environ["WEBSITE_HOSTNAME"] == url.removeprefix("http://")
        assert "local.settings.json: skipped, the environment wins: A, NUMBER\n" in app.log

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ({"Values": {}}, "encrypted settings are not emulated"),
            ({"IsEncrypted": False, "Values": {"A": {"b": 1}}}, "the value of A must be a text"),
            ({"IsEncrypted": False, "Values": {"A": "@Microsoft.KeyVault(x)"}}, "A refers to a key vault"),
            ({"IsEncrypted": False, "ConnectionStrings": {"a": "b"}}, "ConnectionStrings are not emulated"),
            ("{", "local.settings.json: Expecting property name"),
        ],
    )
    def test_local_settings_that_are_not_emulated_are_refused(self, app: App, content: Any, reason: str) -> None:
        app.function("hello", HELLO)
        app.write("local.settings.json", content)

        with pytest.raises(InvalidApp, match=re.escape(reason)):
            read_local_settings(app.root)


class TestRefusals:
    @pytest.mark.parametrize(
        ("bindings", "reason"),
        [
            ([{"type": "timerTrigger", "direction": "in", "name": "t"}], "trigger type timerTrigger is not emulated"),
            ([ANSWER], "exactly one trigger, this has 0"),
            ([{**TRIGGER, "name": ""}, ANSWER], "the trigger needs a name"),
            ([TRIGGER], "is emulated here"),
            ([TRIGGER, {"type": "queue", "direction": "out", "name": "q"}, ANSWER], "is emulated here"),
            ([{**TRIGGER, "route": "posts/{id:int?}"}, ANSWER], "route segment {id:int?} is not emulated"),
            ([{**TRIGGER, "methods": ["fetch"]}, ANSWER], "methods must be of"),
        ],
    )
    def test_a_function_json_that_is_not_emulated_is_refused(
        self, app: App, bindings: Sequence[dict[str, Any]], reason: str
    ) -> None:
        app.write("other/__init__.py", HELLO)
        app.write("other/function.json", {"bindings": list(bindings)})

        with pytest.raises(InvalidApp, match=re.escape(reason)) as refusal:
            read_function_app(app.root)

        assert str(refusal.value).startswith(str(app.root / "other" / "function.json"))

    def test_a_missing_script_is_refused(self, app: App) -> None:
        app.write("other/function.json", {"scriptFile": "gone.py", "bindings": [TRIGGER, ANSWER]})

        with pytest.raises(InvalidApp, match=r"the script gone.py does not exist"):
            read_function_app(app.root)

    def test_an_app_without_functions_is_refused(self, app: App) -> None:
        with pytest.raises(InvalidApp, match=r"no folder here holds a function.json"):
            read_function_app(app.root)

    def test_an_app_that_cannot_be_served_ends_the_host_with_one_line(self, app: App) -> None:
        (app.root / "host.json").unlink()

        assert "there is no host.json. Is this the root of the function app?" in app.refusal()

    def test_another_schema_version_of_host_json_is_refused(self, app: App) -> None:
        app.write("host.json", {})

        with pytest.raises(InvalidApp, match=r'"version" must be "2.0"'):
            read_function_app(app.root)

    def test_a_taken_port_is_refused(self, app: App) -> None:
        app.function("hello", HELLO)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            assert f"functions: port {port} is taken" in app.refusal("--port", f"functions={port}")

    def test_a_setting_of_host_json_that_has_no_effect_is_named(self, app: App) -> None:
        app.write("host.json", {"version": "2.0", "extensions": {"http": {"maxConcurrentRequests": 5}}})
        app.function("hello", HELLO)

        with app.served():
            assert "maxConcurrentRequests has no effect here" in app.log


def cors_headers(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith("access-control-")}


def raw(url: str, *lines: str) -> str:
    """The body of the answer to a request that `requests` would not send so."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        head = [*lines, f"Host: {host}:{port}", "Connection: close"]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer.partition(b"\r\n\r\n")[2].decode()
