"""The changes that scripts/mutants.py makes to the generated client, one at a time.

A rule changes the text of the generated files. Each match of its pattern is a separate mutant, named after the rule,
the file and the text that the pattern's group `what` matched.
"""

from mutation import Rule

API, MODELS, CLIENT, TYPES = "api/*/*.py", "models/*.py", "client.py", "types.py"
# Files that are enough as a sample, if all files of their kind have the same lines.
GETS, SOME = "api/*/get_*.py", "models/prediction*.py"
FORM_TEST = "test_a_form_holds_the_file_with_its_name_and_type"

# Patterns that are long, or that several rules share.
SYNC_CALL = r"\.request\(\n        \*\*kwargs,"
GOOD_MODEL = r"response_200 = (\w+)\."
GIVEN, MAY_BE_NULL = r"if (?P<what>\w+) is not UNSET:", r"(?=[\s\S]*?def _parse_\1\(data: object\) -> [^:]*\bNone\b)"
MOMENT = r"(self\.(?P<what>\w+))\.isoformat\(\)"
NULL_READ = r"(def _parse_(?P<what>\w+)\(data: object\) -> [^:]*:\n +if data is None:\n +return )data"
ODD = r"(except \(TypeError, ValueError, AttributeError, KeyError\)):"

# A table: each rule has one line or two.
# fmt: off
RULES = (
    # Requests
    Rule("verb-get", API, '"method": "get"', '"method": "post"', "a request is sent with the wrong verb"),
    Rule("verb-post", API, '"method": "post"', '"method": "put"', "a request is sent with the wrong verb"),
    Rule("path-version", API, '"url": "/api/v3/', '"url": "/api/v2/', "another version of the API is called"),
    Rule("path-slash", API, r'("url": "[^"]+)"', r'\1/"', "a slash at the end makes it another path"),
    Rule("path-ending", API, '/result"', '"', "the older path is called"),
    Rule("path-doubled", API, '"url": "/api/v3', '"url": "/api/v3/api/v3', "the prefix is sent twice"),
    Rule("segments-swapped", API, r"\{(?P<what>provider)\}/\{(\w+)\}", r"{\2}/{\1}", "another model is called"),
    Rule("segments-swapped", API, r"\{(?P<what>model)\}/\{(\w+)\}", r"{\2}/{\1}", "another model is called"),
    Rule("segment-raw", API, r'quote\(str\((?P<what>\w+)\), safe=""\)', r"str(\1)", "an id changes the path"),
    Rule("segment-twice", API, r'(quote\(str\((?P<what>\w+)\), safe=""\))', r'quote(\1, safe="")', "encoded twice"),
    Rule("segment-slash", API, r'(str\((?P<what>\w+)\), safe=)""', r'\1"/"', "a slash in an id splits it"),
    Rule("segment-percent", API, r'(str\((?P<what>\w+)\), safe=)""', r'\1"%"', "encoded too little"),
    Rule("segment-query", API, r'(str\((?P<what>\w+)\), safe=)""', r'\1"?#"', "an id starts a query"),
    Rule("query-lost", API, r'^ +"params": params,\n', "", "no webhook is ever called"),
    Rule("query-renamed", API, r'params\["(?P<what>\w+)"\]', r'params["\1_url"]', "the service ignores the parameter"),
    Rule("query-unset", API, r"^ +params = \{k: v for .*\n", "", "Unset is sent as text"),
    Rule("body-lost", API, r'^ +_kwargs\["json"\] = .*\n', "", "no body is sent"),
    Rule("body-form", API, r'_kwargs\["json"\]', '_kwargs["data"]', "the body is sent as a form"),
    Rule("body-twice", API, r"= body\.to_dict\(\)", '= __import__("json").dumps(body.to_dict())', "JSON within JSON"),
    Rule("body-wrapped", API, r"= body\.to_dict\(\)", '= {"input": body.to_dict()}', "one level too deep"),
    Rule("type-wrong", API, '"application/json"', '"text/plain"', "the service does not read the body"),
    Rule("type-form", API, '"application/json"', '"application/x-www-form-urlencoded"', "the body is read as a form"),
    Rule("type-unsaid", "api/tasks/*.py", r'^ +headers\["Content-Type"\] = "application/json"\n', "",
         "the body's type is left to httpx",
         equivalent="httpx writes the same header for json=; the test of the body on the wire checks it"),
    Rule("form-field", MODELS, r'files\.append\(\("(?P<what>\w+)"', r'files.append(("upload"', "the file is not found"),
    Rule("form-as-fields", API, r'_kwargs\["files"\]', '_kwargs["data"]', "the file is not sent as a file"),
    Rule("form-lost", API, r'^ +_kwargs\["files"\] = .*\n', "", "nothing is sent"),
    Rule("form-mixed", API, "multipart/form-data; ", "multipart/mixed; ", "the form is not read", FORM_TEST),
    Rule("form-headers-lost", "api/media/upload_binary.py", r'^ +headers\["Content-Type"\] = .*\n', "",
         "the header is left to httpx", FORM_TEST,
         "httpx then writes the header with its own boundary; the parts are the same"),
    Rule("form-boundary", API, r"boundary=\+\+\+", "boundary=---", "another line splits the form", FORM_TEST,
         "httpx reads the boundary from the header, so header and parts still agree"),
    Rule("file-name-lost", TYPES, r"return self\.file_name,", "return None,", "the part has no file name", FORM_TEST),
    Rule("file-type-lost", TYPES, r"self\.mime_type\n", "None\n", "the file's type is guessed", FORM_TEST),
    Rule("file-bytes-lost", TYPES, r"self\.payload,", 'b"",', "an empty file is stored", FORM_TEST),
    # Calls
    Rule("sync-verb", API, SYNC_CALL, '.request(**{**kwargs, "method": "options"},', "sync only"),
    Rule("async-verb", API, r"\.request\(\*\*kwargs\)", '.request(**{**kwargs, "method": "options"})', "async only"),
    Rule("sync-path", API, SYNC_CALL, '.request(**{**kwargs, "url": "/"},', "sync only"),
    Rule("async-path", API, r"\.request\(\*\*kwargs\)", '.request(**{**kwargs, "url": "/"})', "async only"),
    Rule("async-unread", API, r"(\.request\(\*\*kwargs\)\n\n    return )\w+\(.*\)", r"\1response", "async only"),
    Rule("parsed-lost", API, r"^    \)\.parsed$", "    )", "the plain function returns the whole response"),
    Rule("argument-lost", API, r"^ +(?P<what>webhook)=\1,\n", "", "the webhook is dropped on the way"),
    Rule("argument-wrong", API, r"^( +)(?P<what>provider|model|variant|prediction_id)=\2,", r'\1\2="another",',
         "arguments are mixed up"),
    # Responses
    Rule("good-unread", API, r"status_code == 200", "status_code == 201", "a success is read as an error"),
    Rule("good-model", API, r"response_200 = \w+\.", "response_200 = ErrorEnvelope.", "a response is read as an error"),
    Rule("status-unread", API, r"(response_(?P<what>\w+)) = \w+\.from_dict\(response\.json\(\)\)", r"\1 = None",
         "the response is lost"),
    Rule("status-empty", GETS, r"(response_(?P<what>[45]\w\w) = \w+\.from_dict\()response\.json\(\)", r"\1{}",
         "the refusal's reason is lost"),
    *(
        Rule(
            "status-model",
            API,
            rf"({GOOD_MODEL}[\s\S]*?response_(?P<what>{status}) = )\w+",
            r"\1\2",
            "a refusal is read as success",
        )
        for status in ("401", "429", "4xx", "5xx")
    ),
    Rule("range-unread", API, r"(?P<what>[45]00) <= response", "600 <= response", "an unlisted status is not read"),
    Rule("status-undeclared", "api/tasks/get_result.py", r"response\.status_code == (?P<what>4\d\d)",
         "response.status_code == 499", "a declared status is not recognised",
         equivalent="every other status is read with the same model as the range, ErrorEnvelope"),
    Rule("response-status", API, r"HTTPStatus\(response\.status_code\)", "HTTPStatus(202)", "the status is wrong"),
    Rule("response-content", API, r"response\.content", 'b""', "the bytes are lost"),
    Rule("response-headers", API, r"response\.headers", "{}", "the headers are lost, Retry-After with them"),
    Rule("response-parsed", API, r"_parse_response\(client=client, response=response\)", "None", "nothing is parsed"),
    # Models, as they are written
    Rule("written-lost", MODELS, r'^ +"(?P<what>\w+)": \w+,\n', "", "a required field is not written"),
    Rule("written-lost", MODELS, r'^        if (\w+) is not UNSET:\n.*\["(?P<what>\w+)"\] = .*\n', "", "not written"),
    Rule("written-renamed", MODELS, r'^( +"(?P<what>\w+))": (\w+),', r'\1_": \3,', "has the wrong name"),
    Rule("written-renamed", MODELS, r'field_dict\["(?P<what>\w+)"\]', r'field_dict["\1_"]', "has the wrong name"),
    Rule("null-unwritten", MODELS, GIVEN + MAY_BE_NULL, r"if \1 is not UNSET and \1 is not None:",
         "null is written as missing"),
    Rule("unset-written", MODELS, GIVEN, "if True:", "Unset is written"),
    Rule("unset-null", MODELS, r"(if isinstance\(self\.(?P<what>\w+), Unset\):\n +\2 = )UNSET", r"\1None",
         "missing is written as null"),
    Rule("unset-null", MODELS, r"(^ {8}(?P<what>\w+): [^=\n]* \| Unset = )UNSET\n(?=        if not)", r"\1None\n",
         "missing is written as null"),
    Rule("nested-unwritten", MODELS, r"\b(?P<what>\w+) = self\.\1\.to_dict\(\)", r"\1 = self.\1", "no JSON"),
    Rule("items-unwritten", MODELS, r"\b(?P<what>\w+_item) = \1_data\.to_dict\(\)", r"\1 = \1_data", "no JSON"),
    Rule("items-lost", MODELS, r"^( +)(?P<what>\w+)\.append\((\w+_item)\)", r"\1\2[:] = [\3]", "only the last is kept"),
    Rule("moment-zone-lost", MODELS, MOMENT, r"\1.replace(tzinfo=None).isoformat()", "written without its zone"),
    Rule("moment-cut", MODELS, MOMENT, r'\1.isoformat(timespec="seconds")', "written without its fraction"),
    Rule("moment-form", "models/*_query.py", MOMENT, r'\1.isoformat(" ")',
         "written in a form that the service refuses"),
    Rule("further-unwritten", MODELS, r"^ +field_dict\.update\(self\.additional_properties\)\n", "", "fields are lost"),
    Rule("further-wins", MODELS,
         r'(?<=update\(self\.additional_properties\)\n)([\s\S]*?"[\s\S]*?)(        return field_dict\n)',
         r"\1        field_dict.update(self.additional_properties)\n\2", "a further key hides a named field"),
    # Models, as they are read
    Rule("read-renamed", MODELS, r'd\.pop\("(?P<what>\w+)"', r'd.pop("\1_"', "read under another name"),
    Rule("read-kept", MODELS, r'd\.pop\(("(?P<what>\w+)"(?=[\s\S]*additional_properties = d$))', r"d.get(\1",
         "a named field is also among the additional ones"),
    Rule("read-swapped", MODELS, r"^( +)(?P<what>\w+)=(\w+),\n +(\w+)=(\w+),\n", r"\1\2=\5,\n\1\4=\3,\n", "mixed up"),
    Rule("read-dropped", MODELS, r"^            (?P<what>\w+)=\1,\n", "", "read and dropped"),
    Rule("required-optional", MODELS, r'd\.pop\("(?P<what>\w+)"\)', r'd.pop("\1", None)', "missing becomes null"),
    Rule("null-missing", MODELS, NULL_READ + r"(?=\n +if isinstance)", r"\1UNSET", "null is read as missing"),
    Rule("null-changed", MODELS, NULL_READ + r"(?!\n +if isinstance)", r'\1""', "null is read as text"),
    Rule("nested-unread", MODELS, r'(?P<what>\w+) = \w+\.from_dict\((data|d\.pop\("\w+"\))\)', r"\1 = \2", "a dict"),
    Rule("moment-unread", MODELS, r"(?P<what>\w+) = datetime\.datetime\.fromisoformat\((\w+)\)", r"\1 = \2", "text"),
    Rule("moment-zone-unread", MODELS, r"fromisoformat\((?P<what>\w+)\)", r"fromisoformat(\1).replace(tzinfo=None)",
         "read without its zone"),
    Rule("odd-refused", "models/prediction.py", ODD + r"\n( +)pass", r"\1:\n\2raise", "an odd field loses a paid task"),
    Rule("word-lost", MODELS, r'^    "(?P<what>[\w ]+)",\n(?=[\s\S]*^def check_)', "", "a word of the spec is refused"),
    Rule("word-any", MODELS, r"if value in \w+_VALUES:", "if value:", "any word is accepted"),
    Rule("further-unread", MODELS, r"\.additional_properties = d$", ".additional_properties = {}", "fields are lost"),
    Rule("source-consumed", MODELS, r"d = dict\(src_dict\)", "d = src_dict", "the caller's own dict is changed"),
    Rule("default-changed", MODELS, r"^(    (?P<what>\w+): int = \d+)$", r"\g<1>1", "another page is requested"),
    Rule("default-null", MODELS, r"^(    (?P<what>\w+): .* \| Unset = )UNSET$", r"\1None", "null is sent unasked"),
    Rule("unset-true", TYPES, "return False", "return True", "a missing field counts as given",
         "test_defaults_are_the_specs"),
    # Further keys of models
    Rule("mapping-get", SOME, r"return self\.additional_properties\[key\]", "return None", "a field is not found"),
    Rule("mapping-set", SOME, r"self\.additional_properties\[key\] = value", "pass", "a field is not set"),
    Rule("mapping-delete", SOME, r"del self\.additional_properties\[key\]", "pass", "a field cannot be removed"),
    Rule("mapping-in", SOME, r"return key in self\.additional_properties", "return True", "a field seems given"),
    Rule("mapping-keys", SOME, r"return list\(self\.additional_properties\.keys\(\)\)", "return []", "no names"),
    # The client
    Rule("address", CLIENT, r"base_url=self\._base_url,", 'base_url=self._base_url + "/v0",', "joined wrongly"),
    Rule("headers-lost", CLIENT, r"headers=self\._headers,", "headers={},", "headers, and the key, are not sent"),
    Rule("cookies-lost", CLIENT, r"cookies=self\._cookies,", "cookies={},", "cookies are not sent"),
    Rule("timeout-lost", CLIENT, r"timeout=self\._timeout,", "timeout=None,", "a call may take forever"),
    Rule("redirects", CLIENT, r"follow_redirects=self\._follow_redirects,", "follow_redirects=True,", "unasked"),
    Rule("redirects-lost", CLIENT, r"follow_redirects=self\._follow_redirects,", "", "not followed though requested"),
    Rule("arguments-lost", CLIENT, r"^ +\*\*self\._httpx_args,\n", "", "arguments do not reach httpx"),
    Rule("new-headers-lost", CLIENT, r"\{\*\*self\._headers, \*\*headers\}", "self._headers", "new ones are ignored"),
    Rule("old-headers-lost", CLIENT, r"\{\*\*self\._headers, \*\*headers\}", "headers", "the first ones are forgotten"),
    Rule("new-cookies-lost", CLIENT, r"\{\*\*self\._cookies, \*\*cookies\}", "self._cookies", "new ones are ignored"),
    Rule("old-cookies-lost", CLIENT, r"\{\*\*self\._cookies, \*\*cookies\}", "cookies", "the first ones are forgotten"),
    Rule("new-timeout-lost", CLIENT, r"evolve\(self, timeout=timeout\)", "evolve(self)", "a new timeout is ignored"),
    Rule("live-headers-lost", CLIENT, r"self\.(?P<what>\w+)\.headers\.update\(headers\)", "pass", "ignored in use"),
    Rule("live-cookies-lost", CLIENT, r"self\.(?P<what>\w+)\.cookies\.update\(cookies\)", "pass", "ignored in use"),
    Rule("live-timeout-lost", CLIENT, r"self\.(?P<what>\w+)\.timeout = timeout", "pass", "ignored in use"),
    Rule("own-client-lost", CLIENT, r"self\.(?P<what>\w+) = (client|async_client)\n", "pass\n", "not used"),
    Rule("left-open", CLIENT, r"(await )?self\.get_\w*httpx_client\(\)\.__a?exit__\(.*\)", "pass", "never closed"),
    Rule("key-elsewhere", CLIENT, r"self\._headers\[self\.auth_header_name\]", 'self._headers["X-Key"]', "no key"),
    Rule("key-bare", CLIENT, r'f"\{self\.prefix\} \{self\.token\}"', "self.token", "the key has no Bearer before it"),
    Rule("key-prefixed", CLIENT, r"if self\.prefix else self\.token", "if True else self.token", "a space is sent"),
)
# fmt: on
