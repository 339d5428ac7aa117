"""What schemathesis has to be told about this API: who asks, and which ids there are.

VOICECORE_URL, VOICECORE_API_KEY (may do everything), VOICECORE_EMAIL and VOICECORE_PASSWORD (of a super admin who owns the
tenant), VOICECORE_ACCOUNT_SID and VOICECORE_AUTH_TOKEN (of the simulated account at Twilio) come from whoever starts it:
tests/e2e/src/contract.rs. It is told what was answered, by operation and status, in VOICECORE_ANSWERS.
"""

import atexit
import collections
import json
import os
import random
import re
import uuid

import requests
import schemathesis

URL = os.environ["VOICECORE_URL"]
KEY = os.environ["VOICECORE_API_KEY"]
PERSON = {"email": os.environ["VOICECORE_EMAIL"], "password": os.environ["VOICECORE_PASSWORD"]}
CARRIER = {"account_sid": os.environ["VOICECORE_ACCOUNT_SID"], "auth_token": os.environ["VOICECORE_AUTH_TOKEN"]}

# Ids that were shown, by the noun of the path that takes them.
POOLS = collections.defaultdict(list)
NAMES = {}
# Of which assistant each test call is: below another it is not there.
TRIED = {}
# What was last published of each assistant: most numbers are of no version at all.
PUBLISHED = {}
MAX_POOL = 50
# How often an id that schemathesis made up is replaced by one of them: otherwise next to everything is answered 404.
SHARE = 0.75
# Nouns whose ids are those of another.
SAME = {"businesses": "business", "accounts": "users"}
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What these tests ask with is not for these.
CHANGES = {"PUT", "PATCH", "POST", "DELETE"}
dice = random.Random(0)


def signed_in():
    answer = requests.post(f"{URL}/api/v1/auth/login", json=PERSON, timeout=10)
    answer.raise_for_status()
    return answer.json()["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def asked(path, token):
    answer = requests.get(f"{URL}{path}", headers=bearer(token), timeout=10)
    answer.raise_for_status()
    return answer.json()


SESSION = signed_in()


def ids_in(value):
    return {match.group(0) for match in ID.finditer(str(value))}


ME = asked("/api/v1/me", SESSION)
# What these tests ask with: the tenant, the person, the session, the key.
OWN = ids_in(ME) | ids_in(asked("/api/v1/api-keys", KEY))


def there_are(noun):
    POOLS[noun] = [item["id"] for item in asked(f"/api/v1/{noun}", SESSION)["items"]]


def other_sessions():
    signed_in()
    signed_in()
    there_are("sessions")


def told(method, path, body):
    answer = requests.request(method, f"{URL}{path}", json=body, headers=bearer(SESSION), timeout=10)
    answer.raise_for_status()
    return answer.json()


def a_deleted_tenant():
    """Of which there is a report; by chance alone one is seldom asked for before its report is."""
    new = {"name": "Gone", "owner_email": "gone@example.com", "phone_number": "+12025559998"}
    tenant = told("POST", "/api/v1/tenants", new)["tenant_id"]
    told("DELETE", f"/api/v1/tenants/{tenant}", {"name": "Gone"})
    POOLS["deleted tenants"].append(tenant)


a_deleted_tenant()
# Where there are several tenants each adds numbers of an account of its own.
told("PUT", "/api/v1/config/providers/twilio", CARRIER)
# Nothing of the API makes people and calls.
there_are("users")
there_are("calls")
other_sessions()


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """The key, or the session where the document wants one. Who signs out does so in a session of their own."""

    def get(self, case, context):
        raw = case.operation.definition.raw
        schemes = {scheme for requirement in raw.get("security", []) for scheme in requirement}
        if "session" in schemes:
            return signed_in() if case.path.endswith("/logout") else SESSION
        return KEY if "api_key" in schemes else None

    def set(self, case, token, context):
        if token is not None:
            case.headers.update(bearer(token))


def noun_before(path, name):
    if path.endswith("/deletion"):
        return "deleted tenants"
    noun = path.split("{" + name + "}")[0].rstrip("/").rsplit("/", 1)[-1]
    return SAME.get(noun, noun)


def chance():
    return dice.random() < SHARE


def known(noun, value, is_change):
    """An id in the place of `value`: mostly one that there is, and never one of our own for a change."""
    pool = [one for one in POOLS[noun] if not (is_change and one in OWN)]
    if value in pool:
        return value
    if pool and chance():
        return dice.choice(pool)
    return str(uuid.UUID(int=dice.getrandbits(128))) if is_change and value in OWN else value


# Fields of bodies that hold the id of another noun.
REFERENCES = {"parent_id": "departments", "business_id": "business", "department_id": "departments"}


def fit(case):
    """Puts into a body what no schema can say."""
    body = case.body
    for name, noun in REFERENCES.items():
        if isinstance(body.get(name), str) and ID.fullmatch(body[name]):
            body[name] = known(noun, body[name], True)
    # With another account no number could be added any more.
    if case.path.endswith("/config/providers/{provider}") and case.path_parameters.get("provider") == "twilio":
        body.update(CARRIER)
    if case.path.endswith("/auth/login") and chance():
        body.update(PERSON)
    if case.path.endswith("/opening-hours") and chance():
        body.update({"time_zone": "Europe/Berlin", "opening_hours": ["monday 09:00-17:30"]})
    if case.path.endswith("/tenants") and chance():
        number = dice.randrange(1000, 10000)
        body.update({"owner_email": f"owner{number}@example.com", "phone_number": f"+1202555{number}"})
        body.update({"name": f"Tenant {number}", "business_name": None, "fallback_number": None})
        body.update({"language": None, "owner_name": None, "time_zone": None})
    if case.path.endswith("/test-calls") and chance():
        body.update({"version": None, "business_id": None})
    if case.path.endswith("/messages") and chance():
        body.update({"step": 1, "text": "Are you open on Saturday?", "digits": None})
    if case.path.endswith("/config/qa") and chance():
        phrases = {"kind": "required_phrase", "phrases": ["good morning"]}
        body["rules"] = [{"id": f"rule-{n}", "name": f"Rule {n}", **phrases} for n in range(2)]
    if "/notes" in case.path and chance():
        body.update({"body": "Rings again on Friday.", "category": None, "tags": []})
    if case.path.endswith("/roles/{id}") and chance():
        body["name"] = f"Role {dice.randrange(1000)}"
    if case.path.endswith("/auth/tenant") and chance():
        body["tenant_id"] = ME["tenant_id"]
    if case.method.upper() == "DELETE" and case.path.endswith("/tenants/{id}"):
        body["name"] = NAMES.get(case.path_parameters.get("id"), body.get("name"))


@schemathesis.hook
def before_call(context, case, kwargs):
    is_change = case.method.upper() in CHANGES
    for name, value in dict(case.path_parameters or {}).items():
        if isinstance(value, str) and ID.fullmatch(value):
            case.path_parameters[name] = known(noun_before(case.path, name), value, is_change)
    if "call_id" in (case.path_parameters or {}):
        case.path_parameters["id"] = TRIED.get(case.path_parameters["call_id"], case.path_parameters["id"])
    published = [one for one in POOLS["assistants"] if PUBLISHED.get(one)]
    if "number" in (case.path_parameters or {}) and published and chance():
        case.path_parameters["id"] = dice.choice(published)
        case.path_parameters["number"] = PUBLISHED[case.path_parameters["id"]]
    raw = case.operation.definition.raw
    if any(parameter.get("name") == "If-Match" for parameter in raw.get("parameters", [])) and chance():
        case.headers["If-Match"] = "*"
    # Of this one, too, it would be taken away.
    if case.method.upper() == "DELETE" and (case.path_parameters or {}).get("provider") == "twilio":
        case.path_parameters["provider"] = "openai"
    if case.path.endswith("/accounts") and "email" in (case.query or {}) and chance():
        case.query["email"] = PERSON["email"]
    if isinstance(case.body, dict):
        fit(case)


def keep(noun, item):
    pool = POOLS[SAME.get(noun, noun)]
    if isinstance(item, dict) and item.get("published_version"):
        PUBLISHED[item["id"]] = item["published_version"]
    if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"] not in pool:
        NAMES[item["id"]] = item.get("name")
        pool.append(item["id"])
        del pool[:-MAX_POOL]


def forget(case):
    for name, value in (case.path_parameters or {}).items():
        pool = POOLS[noun_before(case.path, name)]
        if case.path.endswith("{" + name + "}") and value in pool and value not in OWN:
            pool.remove(value)


ANSWERS = collections.defaultdict(collections.Counter)


@atexit.register
def tell():
    with open(os.environ["VOICECORE_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(ANSWERS, file)


@schemathesis.hook
def after_call(context, case, response):
    ANSWERS[case.operation.label][response.status_code] += 1
    if case.method.upper() == "DELETE" and response.status_code == 202:
        POOLS["deleted tenants"].append(case.path_parameters["id"])
    if case.method.upper() == "DELETE" and response.status_code == 204:
        forget(case)
        if case.path.endswith("/sessions"):
            other_sessions()
    if response.status_code not in (200, 201) or response.headers.get("content-type") != ["application/json"]:
        return
    noun = case.path.rstrip("/").rsplit("/", 1)[-1]
    if noun.startswith("{"):
        noun = case.path.rstrip("/").rsplit("/", 2)[-2]
    body = response.json()
    if noun == "test-calls" and response.status_code == 201:
        TRIED[body["id"]] = case.path_parameters["id"]
    items = body.get("items", [body]) if isinstance(body, dict) else body
    for item in items if isinstance(items, list) else []:
        keep(noun, item)
