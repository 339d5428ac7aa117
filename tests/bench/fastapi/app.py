"""The baseline of `bench api`: the same five routes as a careful Python team writes them, with FastAPI, SQLAlchemy and SQLite.

BENCH_DATABASE is the file; it is filled at start with BENCH_CALLS calls, the key BENCH_KEY and a person with BENCH_PASSWORD.
"""

import hashlib
import hmac
import os
import secrets
import time
import uuid
from typing import Annotated

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Index, create_engine, event, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

CALLS = int(os.environ["BENCH_CALLS"])
KEY = os.environ["BENCH_KEY"]
EMAIL = "bench@example.com"
PASSWORD = os.environ["BENCH_PASSWORD"]
JWT_SECRET = "bench-secret-bench-secret-bench-secret"
# As the product's: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
TOTAL_CAP = 10_000

engine = create_engine(f"sqlite:///{os.environ['BENCH_DATABASE']}", connect_args={"check_same_thread": False})
sessions = sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine, "connect")
def configure(connection, _):
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    connection.execute("pragma foreign_keys = on")


class Base(DeclarativeBase):
    pass


class ApiKey(Base):
    __tablename__ = "api_keys"
    prefix: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    secret_hash: Mapped[str]
    permissions: Mapped[str]
    revoked_at: Mapped[int | None]


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    tenant_id: Mapped[str]


class SignIn(Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    refresh_hash: Mapped[str]
    created_at: Mapped[int]


class Call(Base):
    __tablename__ = "calls"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    carrier_call_id: Mapped[str] = mapped_column(unique=True)
    business_id: Mapped[str]
    caller_number: Mapped[str | None]
    status: Mapped[str]
    started_at: Mapped[int]
    answered_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    end_reason: Mapped[str | None]
    interaction_count: Mapped[int]
    attempts: Mapped[int]
    model_sessions: Mapped[int]
    model: Mapped[str | None]
    cost_micros: Mapped[int]
    __table_args__ = (Index("calls_newest", "tenant_id", "started_at", "id"),)


class CallWord(Base):
    __tablename__ = "call_words"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)


class Note(Base):
    __tablename__ = "call_notes"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), index=True)
    body: Mapped[str]
    category: Mapped[str | None]
    tags: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[int]
    updated_at: Mapped[int]


class Audit(Base):
    __tablename__ = "audit_log"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    at: Mapped[int]
    actor: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[str | None]


class CallOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    carrier_call_id: str
    business_id: str
    caller_number: str | None = Field(serialization_alias="from")
    status: str
    started_at: int
    answered_at: int | None
    ended_at: int | None
    end_reason: str | None
    interaction_count: int
    attempts: int
    model_sessions: int
    model: str | None
    cost_micros: int | None


class CallPage(BaseModel):
    items: list[CallOut]
    total: int
    total_capped: bool
    page: int
    page_size: int


class SaveNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    body: str = Field(min_length=1, max_length=4_000)
    category: str | None = Field(default=None, max_length=50)
    tags: list[str] = Field(default=[], max_length=20)


class NoteOut(SaveNote):
    id: str
    call_id: str
    version: int
    created_at: int
    updated_at: int


class Login(BaseModel):
    email: str
    password: str


class SignedIn(BaseModel):
    access_token: str
    expires_in: int


def now() -> int:
    return time.time_ns() // 1_000_000


def database():
    with sessions() as session:
        yield session


Database = Annotated[Session, Depends(database)]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Principal:
    def __init__(self, tenant_id: str, actor: str, permissions: set[str]):
        self.tenant_id, self.actor, self.permissions = tenant_id, actor, permissions


def principal(db: Database, authorization: Annotated[str, Header()] = "") -> Principal:
    scheme, _, token = authorization.partition(" ")
    parts = token.split("_")
    if scheme != "Bearer" or len(parts) != 3:
        raise HTTPException(401)
    key = db.get(ApiKey, parts[1])
    if key is None or key.revoked_at is not None or not hmac.compare_digest(key.secret_hash, digest(token)):
        raise HTTPException(401)
    return Principal(key.tenant_id, key.prefix, set(key.permissions.split(" ")))


def may(permission: str):
    def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        if permission not in who.permissions:
            raise HTTPException(403)
        return who

    return Depends(check)


app = FastAPI()


@app.get("/api/v1/calls")
def list_calls(
    db: Database,
    who: Annotated[Principal, may("calls:read")],
    status: str | None = None,
    q: str | None = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> CallPage:
    found = select(Call).where(Call.tenant_id == who.tenant_id)
    if status is not None:
        found = found.where(Call.status == status)
    for word in (q or "").lower().split():
        same = (CallWord.tenant_id == who.tenant_id) & (CallWord.word == word)
        found = found.where(Call.id.in_(select(CallWord.call_id).where(same)))
    total = db.scalar(select(func.count()).select_from(found.with_only_columns(Call.id).limit(TOTAL_CAP + 1).subquery()))
    newest = found.order_by(Call.started_at.desc(), Call.id.desc())
    rows = db.scalars(newest.limit(page_size).offset((page - 1) * page_size)).all()
    items = [CallOut.model_validate(row) for row in rows]
    capped = total > TOTAL_CAP
    return CallPage(items=items, total=min(total, TOTAL_CAP), total_capped=capped, page=page, page_size=page_size)


def find(db: Session, who: Principal, call_id: uuid.UUID) -> Call:
    call = db.scalar(select(Call).where(Call.tenant_id == who.tenant_id, Call.id == str(call_id)))
    if call is None:
        raise HTTPException(404)
    return call


@app.get("/api/v1/calls/{call_id}")
def get_call(db: Database, who: Annotated[Principal, may("calls:read")], call_id: uuid.UUID) -> CallOut:
    return CallOut.model_validate(find(db, who, call_id))


@app.post("/api/v1/calls/{call_id}/notes", status_code=201)
def create_note(
    db: Database, who: Annotated[Principal, may("calls:write")], call_id: uuid.UUID, wanted: SaveNote
) -> NoteOut:
    call = find(db, who, call_id)
    at = now()
    note = Note(
        id=str(uuid.uuid4()), tenant_id=who.tenant_id, call_id=call.id, body=wanted.body, category=wanted.category,
        tags=" ".join(wanted.tags), version=1, created_at=at, updated_at=at,
    )
    audit = Audit(
        id=str(uuid.uuid4()), tenant_id=who.tenant_id, at=at, actor=who.actor, action="note.create", subject_id=note.id
    )
    db.add_all([note, audit])
    db.commit()
    return NoteOut(id=note.id, call_id=call.id, version=1, created_at=at, updated_at=at, **wanted.model_dump())


@app.post("/api/v1/auth/login")
def login(db: Database, wanted: Login) -> SignedIn:
    user = db.scalar(select(User).where(User.email == wanted.email))
    try:
        HASHER.verify(user.password_hash if user else HASHER.hash("nobody"), wanted.password)
    except VerifyMismatchError:
        raise HTTPException(401) from None
    at = now()
    session = SignIn(id=str(uuid.uuid4()), user_id=user.id, refresh_hash=digest(secrets.token_hex(32)), created_at=at)
    audit = Audit(
        id=str(uuid.uuid4()), tenant_id=user.tenant_id, at=at, actor=user.id, action="session.create", subject_id=session.id
    )
    db.add_all([session, audit])
    db.commit()
    claims = {"sub": user.id, "sid": session.id, "exp": at // 1_000 + 900}
    return SignedIn(access_token=jwt.encode(claims, JWT_SECRET, "HS256"), expires_in=900)


def fill():
    """As many calls as the product is given, with the same ids, moments and words (tests/bench/src/api/subjects.rs)."""
    Base.metadata.create_all(engine)
    tenant, user, business = (str(uuid.uuid4()) for _ in range(3))
    with sessions.begin() as db:
        _, prefix, _ = KEY.split("_")
        db.add(ApiKey(prefix=prefix, tenant_id=tenant, secret_hash=digest(KEY), permissions="calls:read calls:write"))
        db.add(User(id=user, email=EMAIL, password_hash=HASHER.hash(PASSWORD), tenant_id=tenant))
        calls, words = [], []
        for n in range(1, CALLS + 1):
            call_id, at = f"01939a2b-0000-7000-8000-{n:012x}", 1_700_000_000_000 + n * 60_000
            calls.append({
                "id": call_id, "tenant_id": tenant, "carrier_call_id": f"CB{n:032x}", "business_id": business,
                "caller_number": "+15005550199", "status": "completed", "started_at": at, "answered_at": at + 1_000,
                "ended_at": at + 61_000, "end_reason": "caller_hung_up", "interaction_count": 20, "attempts": 1,
                "model_sessions": 1, "model": "gpt-realtime", "cost_micros": 50_000,
            })
            words += [
                {"tenant_id": tenant, "word": f"w{(n * 7 + k) % 500}", "at": at, "call_id": call_id} for k in range(20)
            ]
        db.execute(insert(Call), calls)
        db.execute(insert(CallWord), words)


fill()
