// A span of days.

import type { CalendarDate } from "@internationalized/date";
import { Calendar, ChevronLeft, ChevronRight } from "lucide-react";
import * as Aria from "react-aria-components";
import { useTranslation } from "react-i18next";

type Days = { start: CalendarDate; end: CalendarDate };

type Props = { label: string; value: Days | null; onChange: (days: Days | null) => void; opened?: boolean };

/** `opened`: it begins with its calendar open, and the focus in that. */
export function DateRange({ label, value, onChange, opened = false }: Props) {
  const { t } = useTranslation();
  return (
    <Aria.DateRangePicker className="field" value={value} onChange={onChange} defaultOpen={opened} shouldForceLeadingZeros>
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
  );
}
