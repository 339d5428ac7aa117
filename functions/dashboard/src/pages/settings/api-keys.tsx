import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, CheckGroup, Confirm, CopyButton, Empty, Modal, NoteBar, Paging, TableBox, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { explain } from "../../ui/explain";
import { useSubmit } from "../../ui/submit";

type Key = Schema["ApiKey"];

export function ApiKeys() {
  const { t } = useTranslation();
  useTitle(t("settings.apiKeys.title"));
  const may = useMay("api_keys:write");
  const [page, setPage] = useState(1);
  const [making, setMaking] = useState(false);
  const keys = useQuery({ ...queries.apiKeys(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("settings.apiKeys.title")}</h1>
        <span className="grow" />
        {may ? (
          <Button kind="primary" icon={<Plus aria-hidden="true" />} onPress={() => setMaking(true)}>
            {t("settings.apiKeys.create")}
          </Button>
        ) : null}
      </div>
      <Card flush>
        <Asked
          query={keys}
          empty={
            <Empty icon={<KeyRound aria-hidden="true" />} title={t("settings.apiKeys.none")}>
              {t("settings.apiKeys.noneText")}
            </Empty>
          }
        >
          {(found) => (
            <>
              <KeyTable keys={found.items} may={may} />
              <Paging page={found} onPage={setPage} />
            </>
          )}
        </Asked>
      </Card>
      <Modal title={t("settings.apiKeys.create")} open={making} onClose={() => setMaking(false)}>
        {making ? <Maker close={() => setMaking(false)} /> : null}
      </Modal>
    </main>
  );
}

function KeyTable({ keys, may }: { keys: Key[]; may: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [revoked, setRevoked] = useState<Key | null>(null);
  const revoke = async () => {
    if (revoked === null) return;
    await answer(api.DELETE("/api/v1/api-keys/{id}", { params: { path: { id: revoked.id } } }));
    await client.invalidateQueries({ queryKey: ["api-keys"] });
  };
  const now = Date.now();
  return (
    <>
      <TableBox label={t("settings.apiKeys.title")}>
        <thead>
          <tr>
            <th scope="col">{t("settings.apiKeys.name")}</th>
            <th scope="col">{t("settings.apiKeys.key")}</th>
            <th scope="col">{t("settings.apiKeys.state")}</th>
            <th scope="col">{t("settings.apiKeys.used")}</th>
            <th scope="col">
              <span className="visually-hidden">{t("common.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => {
            const dead = key.revoked_at != null || (key.expires_at != null && key.expires_at <= now);
            const state = key.revoked_at != null ? "revoked" : dead ? "expired" : "active";
            return (
              <tr key={key.id}>
                <td>{key.name}</td>
                <td>
                  <code>vc_{key.prefix}_…</code>
                </td>
                <td>
                  <Badge tone={dead ? "neutral" : "good"}>{t(`settings.apiKeys.${state}`)}</Badge>
                </td>
                <td className="muted tight">{key.last_used_at == null ? t("common.never") : format.date(key.last_used_at)}</td>
                <td className="tight">
                  {may && !dead ? (
                    <Button kind="quiet" onPress={() => setRevoked(key)}>
                      {t("settings.apiKeys.revoke")}
                    </Button>
                  ) : null}
                </td>
              </tr>
            );
          })}
        </tbody>
      </TableBox>
      <Confirm
        title={t("settings.apiKeys.revokeTitle", { name: revoked?.name ?? "" })}
        text={t("settings.apiKeys.revokeText")}
        action={t("settings.apiKeys.revoke")}
        open={revoked !== null}
        onClose={() => setRevoked(null)}
        onConfirm={revoke}
      />
    </>
  );
}

/** Makes a key of what one may do oneself, and shows it this once. */
function Maker({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [permissions, setPermissions] = useState<string[]>(["calls:read"]);
  const [made, setMade] = useState<string | null>(null);
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const key = await answer(api.POST("/api/v1/api-keys", { body: { name, permissions } }));
    setMade(key.api_key);
    await client.invalidateQueries({ queryKey: ["api-keys"] });
  });
  if (made !== null) {
    return (
      <>
        <NoteBar tone="warn">{t("settings.apiKeys.once")}</NoteBar>
        <div className="secret">
          <code>{made}</code>
          <CopyButton text={made} />
        </div>
        <div className="actions">
          <Button kind="primary" onPress={close}>
            {t("common.done")}
          </Button>
        </div>
      </>
    );
  }
  return (
    <form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <TextField label={t("settings.apiKeys.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={wrong.get("name")} />
      <CheckGroup
        label={t("settings.apiKeys.permissions")}
        options={me.permissions.filter((permission) => !permission.startsWith("tenants:")).map((id) => ({ id, label: <code>{id}</code> }))}
        value={permissions}
        onChange={setPermissions}
        wrong={wrong.get("permissions")}
      />
      <div className="actions">
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy} isDisabled={permissions.length === 0}>
          {t("settings.apiKeys.create")}
        </Button>
      </div>
    </form>
  );
}
