// A span of days.

import { parseDate } from "@internationalized/date";
import { Calendar, ChevronLeft, ChevronRight } from "lucide-react";
import { useMemo } from "react";
import * as Aria from "react-aria-components";
import { useTranslation } from "../i18n";
import { Spoken } from "./over";

/** Each as `2026-03-01`. */
type Days = { start: string; end: string };

type Props = { label: string; value: Days | null; onChange: (days: Days | null) => void; opened?: boolean };

/** `opened`: it begins with its calendar open, and the focus in that. */
export function DateRange({ label, value, onChange, opened = false }: Props) {
  const { t } = useTranslation();
  const dates = useMemo(() => value && { start: parseDate(value.start), end: parseDate(value.end) }, [value?.start, value?.end]);
  return (
    <Spoken>
      <Aria.DateRangePicker className="field" value={dates} onChange={(now) => onChange(now && { start: now.start.toString(), end: now.end.toString() })} defaultOpen={opened} shouldForceLeadingZeros>
        <Aria.Label className="label">{label}</Aria.Label>
        <Aria.Group className="input date-range">
          <Aria.DateInput slot="start" className="date-input">
            {(segment) => <Aria.DateSegment segment={segment} className="segment" />}
          </Aria.DateInput>
          <span aria-hidden="true">–</span>
          <Aria.DateInput slot="end" className="date-input">
            {(segment) => <Aria.DateSegment segment={segment} className="segment" />}
          </Aria.DateInput>
          <Aria.Button className="button quiet icon" aria-label={t("common.calendar")}>
            <Calendar aria-hidden="true" />
          </Aria.Button>
        </Aria.Group>
        <Aria.Popover className="popover">
          <Aria.Dialog className="calendar">
            <Aria.RangeCalendar>
              <header>
                <Aria.Button slot="previous" className="button quiet icon">
                  <ChevronLeft aria-hidden="true" />
                </Aria.Button>
                <Aria.Heading />
                <Aria.Button slot="next" className="button quiet icon">
                  <ChevronRight aria-hidden="true" />
                </Aria.Button>
              </header>
              <Aria.CalendarGrid>{(date) => <Aria.CalendarCell date={date} className="day" />}</Aria.CalendarGrid>
            </Aria.RangeCalendar>
          </Aria.Dialog>
        </Aria.Popover>
      </Aria.DateRangePicker>
    </Spoken>
  );
}
