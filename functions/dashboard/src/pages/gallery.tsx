// Every component in every state, in one place: to look at, and for the tests that look at it with axe in both themes.

import { Download, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import * as Aria from "react-aria-components";
import { ApiFailure } from "../api/client";
import { paint } from "../session";
import { type Group, PaletteBox, Ways } from "../shell/palette-box";
import { useTitle } from "../shell/title";
import {
  Avatar, Badge, Button, Card, CheckBox, ComboBox, Confirm, CopyButton, Drawer, Empty, Failed, IconButton, MenuButton, Modal, NoteBar, Paging, Select, Skeleton,
  TableBox, TextField,
} from "../ui";
import { DateRange } from "../ui/date-range";
import { type Days, STATUSES } from "./call-query";
import { toast } from "../ui/toast";
import { StatusBadge } from "./call-words";

const FRUIT = ["Apple", "Apricot", "Banana", "Cherry", "Plum"].map((label) => ({ id: label.toLowerCase(), label }));
const PROBLEM = new ApiFailure({ code: "unavailable", detail: "" }, new Response(null, { status: 503, headers: { "x-request-id": "0a1b2c3d4e5f" } }));

export function Gallery() {
  useTitle("Gallery");
  return (
    <main className="page gallery" id="main">
      <div className="page-head">
        <h1>Components</h1>
        <span className="grow" />
        <Button onPress={() => paint("light")}>Light</Button>
        <Button onPress={() => paint("dark")}>Dark</Button>
      </div>
      <Buttons />
      <Fields />
      <Small />
      <Lists />
      <TabList />
      <Overlays />
      <States />
    </main>
  );
}

function Buttons() {
  return (
    <Card title="Button">
      <div className="stack">
        {(["plain", "primary", "danger", "quiet"] as const).map((kind) => (
          <div key={kind} className="row">
            <Button kind={kind}>Rest</Button>
            <Button kind={kind} icon={<Plus aria-hidden="true" />}>
              With an icon
            </Button>
            <Button kind={kind} busy>
              Busy
            </Button>
            <Button kind={kind} isDisabled>
              Disabled
            </Button>
          </div>
        ))}
        <div className="row">
          <IconButton name="Delete">
            <Trash2 aria-hidden="true" />
          </IconButton>
          <IconButton name="Download" isDisabled>
            <Download aria-hidden="true" />
          </IconButton>
          <CopyButton text="copied from the gallery" />
        </div>
      </div>
    </Card>
  );
}

function Fields() {
  const [fruit, setFruit] = useState("apple");
  const [days, setDays] = useState<Days | null>(null);
  return (
    <Card title="Fields">
      <div className="form-grid">
        <TextField label="Empty" placeholder="Placeholder" />
        <TextField label="With a hint" hint="It helps." defaultValue="Text" />
        <TextField label="Wrong" wrong="It is too short." defaultValue="x" />
        <TextField label="Disabled" isDisabled defaultValue="Text" />
        <TextField label="Several lines" rows={3} defaultValue={"One\nTwo"} />
        <Select label="Select" options={FRUIT} value={fruit} onChange={setFruit} />
        <Select label="Select, wrong" options={FRUIT} value={fruit} onChange={setFruit} wrong="Not this one." />
        <Select label="Select, disabled" options={FRUIT} value={fruit} onChange={setFruit} isDisabled />
        <ComboBox label="Combo box" options={FRUIT} value={fruit} onChange={setFruit} />
        <ComboBox label="Combo box, wrong" options={FRUIT} value={fruit} onChange={setFruit} wrong="Not this one." />
        <ComboBox label="Combo box, disabled" options={FRUIT} value={fruit} onChange={setFruit} isDisabled />
        <DateRange label="Date range" value={days} onChange={setDays} />
        <div className="stack">
          <CheckBox>Check box</CheckBox>
          <CheckBox defaultSelected>Checked</CheckBox>
          <CheckBox isDisabled>Disabled</CheckBox>
        </div>
      </div>
    </Card>
  );
}

function Small() {
  return (
    <Card title="Badge, avatar, tooltip">
      <div className="stack">
        <div className="row">
          {(["neutral", "good", "warn", "bad", "info", "accent"] as const).map((tone) => (
            <Badge key={tone} tone={tone}>
              {tone}
            </Badge>
          ))}
        </div>
        <div className="row">
          {STATUSES.map((status) => (
            <StatusBadge key={status} status={status} />
          ))}
        </div>
        <div className="row">
          <Avatar name="Ada Lovelace" />
          <Avatar name="grace@example.com" />
          <IconButton name="Tooltip: what the button does" className="button">
            Tooltip
          </IconButton>
        </div>
      </div>
    </Card>
  );
}

const THINGS = ["Apple", "Apricot", "Banana", "Cherry", "Fig", "Grape", "Kiwi", "Lemon", "Mango", "Plum"].map((name, index) => ({ name, number: (index * 37) % 101 }));
const WAYS: Group[] = [
  { id: "pages", name: "Pages", ways: ["Overview", "Live calls", "Calls"].map((label) => ({ to: label, label })) },
  { id: "settings", name: "Set up here", ways: [{ to: "bakery", label: "Bakery", beside: "Business" }] },
];
const PAGE_SIZE = 4;
const SORTS = [{ id: "name", label: "By name" }, { id: "number", label: "Highest number first" }];
const TABLES = [{ id: "there", label: "There" }, { id: "loading", label: "Loading" }, { id: "failed", label: "Failed" }];

/** As lists of pages are: filter, order and page stand above and below the table, which says by itself how things are. */
function Lists() {
  const [[text, sort, state], change] = useState(["", "name", "there"]);
  const [page, setPage] = useState(1);
  const set = (changed: [string, string, string]) => {
    change(changed);
    setPage(1);
  };
  const found = THINGS.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  if (sort === "number") found.sort((one, other) => other.number - one.number);
  const items = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  return (
    <Card title="Table with filter, order and pages" flush>
      <div className="body form-grid">
        <TextField label="Filter" value={text} onChange={(now) => set([now, sort, state])} />
        <Select label="Order" options={SORTS} value={sort} onChange={(now) => set([text, now, state])} />
        <Select label="State of the table" options={TABLES} value={state} onChange={(now) => set([text, sort, now])} />
      </div>
      {state === "loading" ? (
        <div className="body">
          <Skeleton lines={PAGE_SIZE} />
        </div>
      ) : state === "failed" ? (
        <Failed error={PROBLEM} retry={() => set([text, sort, "there"])} />
      ) : items.length === 0 ? (
        <Empty title="Nothing matches">Another filter may find something.</Empty>
      ) : (
        <>
          <TableBox label="Things">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col" className="number">
                  Number
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ name, number }) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="number">{number}</td>
                </tr>
              ))}
            </tbody>
          </TableBox>
          <Paging page={{ page, page_size: PAGE_SIZE, total: found.length, total_capped: false, items }} onPage={setPage} />
        </>
      )}
    </Card>
  );
}

function TabList() {
  return (
    <Card title="Tabs">
      <Aria.Tabs>
        <Aria.TabList className="tabs" aria-label="Tabs">
          <Aria.Tab className="tab" id="one">
            One
          </Aria.Tab>
          <Aria.Tab className="tab" id="two">
            Two
          </Aria.Tab>
          <Aria.Tab className="tab" id="three" isDisabled>
            Disabled
          </Aria.Tab>
        </Aria.TabList>
        <Aria.TabPanel id="one">The first one.</Aria.TabPanel>
        <Aria.TabPanel id="two">The second one.</Aria.TabPanel>
      </Aria.Tabs>
    </Card>
  );
}

function Overlays() {
  const [open, setOpen] = useState<"dialog" | "confirm" | "drawer" | "palette" | null>(null);
  const close = () => setOpen(null);
  const [text, setText] = useState("");
  const ways = WAYS.map((group) => ({ ...group, ways: group.ways.filter(({ label }) => label.toLowerCase().includes(text.toLowerCase())) }));
  return (
    <Card title="Dialog, confirm, drawer, command palette, menu, toast">
      <div className="row">
        <Button onPress={() => setOpen("dialog")}>Dialog</Button>
        <Button onPress={() => setOpen("confirm")}>Confirm</Button>
        <Button onPress={() => setOpen("drawer")}>Drawer</Button>
        <Button onPress={() => setOpen("palette")}>Command palette</Button>
        <MenuButton label="Menu" entries={FRUIT} button={(opens) => <Button {...opens}>Menu</Button>} />
        <Button onPress={() => toast("It was saved.")}>Toast</Button>
        <Button onPress={() => toast("It was not saved.", "bad")}>Toast, bad</Button>
      </div>
      <Drawer label="A drawer" open={open === "drawer"} setOpen={(now) => setOpen(now ? "drawer" : null)}>
        <div className="in-drawer stack">
          <p>Over what is there, from the side.</p>
          <Button onPress={close}>Close</Button>
        </div>
      </Drawer>
      <PaletteBox open={open === "palette"} setOpen={(now) => setOpen(now ? "palette" : null)}>
        <Ways text={text} setText={setText} groups={ways} go={close} />
      </PaletteBox>
      <Modal title="A dialog" open={open === "dialog"} onClose={close}>
        <p>With something in it.</p>
        <div className="actions">
          <Button onPress={close}>Close</Button>
        </div>
      </Modal>
      <Confirm
        title="Delete it?"
        text="It cannot be taken back."
        action="Delete"
        open={open === "confirm"}
        onClose={close}
        onConfirm={() => Promise.reject(PROBLEM)}
      />
    </Card>
  );
}

function States() {
  return (
    <>
      <Card title="Skeleton">
        <Skeleton />
      </Card>
      <Card title="Empty">
        <Empty title="Nothing here">As soon as there is something, it is here.</Empty>
      </Card>
      <Card title="Error">
        <Failed error={PROBLEM} retry={() => undefined} />
      </Card>
      <Card title="Notes">
        <div className="stack">
          {(["info", "good", "warn", "bad"] as const).map((tone) => (
            <NoteBar key={tone} tone={tone}>
              {tone}
            </NoteBar>
          ))}
        </div>
      </Card>
    </>
  );
}
