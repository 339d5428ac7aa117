import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Ahead } from "../../api/ahead";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useMay } from "../../session";
import { useTitle } from "../../shell/title";
import { Button, Card, ComboBox, Empty, Failed, NoteBar, Select, Skeleton, TextField } from "../../ui";
import { explain } from "../../ui/explain";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { Hours } from "./hours";
import { KINDS } from "./kinds";

type Business = Schema["Business"];

export const ahead: Ahead = (client) => {
  void client.prefetchQuery(queries.businesses());
};

/** How the calls of each business are answered. */
export function Businesses() {
  const { t } = useTranslation();
  useTitle(t("settings.business.title"));
  const businesses = useQuery(queries.businesses());
  const [url, setUrl] = useSearchParams();
  const items = businesses.data?.items ?? [];
  const chosen = items.find(({ id }) => id === url.get("id")) ?? items[0];
  return (
    <main className="page narrow" id="main">
      <div className="page-head">
        <h1>{t("settings.business.title")}</h1>
      </div>
      {businesses.isError ? (
        <Card>
          <Failed error={businesses.error} retry={() => void businesses.refetch()} />
        </Card>
      ) : businesses.data === undefined ? (
        <Card>
          <Skeleton lines={8} />
        </Card>
      ) : chosen === undefined ? (
        <Card>
          <Empty title={t("settings.business.none")} />
        </Card>
      ) : (
        <>
          {items.length > 1 ? (
            <ComboBox
              label={t("calls.business")}
              options={items.map(({ id, name }) => ({ id, label: name }))}
              value={chosen.id}
              onChange={(id) => setUrl({ id })}
            />
          ) : null}
          <Profile key={`${chosen.id} ${chosen.version}`} business={chosen} />
          <Hours key={chosen.id} businessId={chosen.id} />
        </>
      )}
    </main>
  );
}

function Profile({ business }: { business: Business }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay("config:write");
  const [draft, setDraft] = useState(business);
  const set = (changed: Partial<Business>) => setDraft((now) => ({ ...now, ...changed }));
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const { name, kind, assistant_id, voice_mode: mode, fallback_number: fallback, call_length_seconds: length } = draft;
    const some = (text: string | null | undefined) => (text == null || text.trim() === "" ? null : text);
    await answer(
      api.PUT("/api/v1/config/business/{id}", {
        params: { path: { id: business.id } },
        headers: { "if-match": `"${business.version}"` },
        body: {
          name,
          kind,
          assistant_id: assistant_id ?? null,
          voice_mode: mode ?? null,
          fallback_number: some(fallback),
          call_length_seconds: length,
        },
      }),
    );
    toast(t("settings.business.saved"));
    await client.invalidateQueries({ queryKey: queries.businesses().queryKey });
  });
  return (
    <Card title={t("settings.business.profile")}>
      <Form className="stack" onSubmit={submit}>
        {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
        <div className="form-grid">
          <TextField label={t("profile.name")} isRequired isReadOnly={!may} value={draft.name} onChange={(name) => set({ name })} wrong={wrong.get("name")} />
          <Select
            label={t("settings.business.kind")}
            isDisabled={!may}
            options={KINDS.map((id) => ({ id, label: t(`kind.${id}`) }))}
            value={draft.kind}
            onChange={(id) => set({ kind: KINDS.find((kind) => kind === id) ?? draft.kind })}
          />
          <TextField
            label={t("settings.business.fallback")}
            type="tel"
            isReadOnly={!may}
            hint={t("settings.business.fallbackHint")}
            value={draft.fallback_number ?? ""}
            onChange={(fallback) => set({ fallback_number: fallback })}
            wrong={wrong.get("fallback_number")}
          />
        </div>
        {may ? (
          <div className="actions">
            <Button type="submit" kind="primary" busy={busy}>
              {t("common.save")}
            </Button>
          </div>
        ) : null}
      </Form>
    </Card>
  );
}
