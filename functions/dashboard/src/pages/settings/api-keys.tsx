import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, CheckGroup, Confirm, CopyButton, Empty, NoteBar, PageHead, Paging, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { ActionCell, AddButton, EditForm, EditModal, ListTable, useEditing } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";

type Key = Schema["ApiKey"];

export function ApiKeys() {
  const { t } = useTranslation();
  useTitle(t("settings.apiKeys.title"));
  const may = useMay("api_keys:write");
  // Whoever looks into an organisation revokes its keys, and makes none.
  const { impersonating } = useMe();
  const [page, setPage] = useState(1);
  const making = useEditing();
  const keys = useQuery({ ...queries.apiKeys(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <PageHead title={t("settings.apiKeys.title")}>
        {may && !impersonating ? <AddButton label={t("settings.apiKeys.create")} onPress={making.add} /> : null}
      </PageHead>
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
      <EditModal editing={making} add={t("settings.apiKeys.create")}>
        {() => <Maker close={making.close} />}
      </EditModal>
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
      <ListTable
        label={t("settings.apiKeys.title")}
        heads={[t("settings.apiKeys.name"), t("settings.apiKeys.key"), t("settings.apiKeys.state"), t("settings.apiKeys.used")]}
        actions
      >
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
              <ActionCell label={t("settings.apiKeys.revoke")} of={key.name} onPress={may && !dead ? () => setRevoked(key) : null} />
            </tr>
          );
        })}
      </ListTable>
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
  const form = useSubmit(async () => {
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
    <EditForm form={form} action={t("settings.apiKeys.create")} ready={permissions.length > 0} close={close}>
      <TextField label={t("settings.apiKeys.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <CheckGroup
        label={t("settings.apiKeys.permissions")}
        options={me.permissions.filter((permission) => !permission.startsWith("tenants:")).map((id) => ({ id, label: <code>{id}</code> }))}
        value={permissions}
        onChange={setPermissions}
        wrong={form.wrong.get("permissions")}
      />
    </EditForm>
  );
}
