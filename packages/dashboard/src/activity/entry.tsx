/** One entry of the feed: an icon, the sentence, from where, and when. */
import type { AuditRow } from '@kalnet/contracts/audit'
import {
  Boxes,
  CircleSlash,
  FileClock,
  Fingerprint,
  KeyRound,
  LogIn,
  type LucideIcon,
  Monitor,
  MonitorPlay,
  Server,
  Users,
} from 'lucide-react'
import * as m from '../messages/index.ts'
import { Badge } from '../ui/badge.tsx'
import css from './activity.module.css'
import { isRefused, placeOf, reasonOf, sentenceOf } from './sentence.ts'

const ICONS: Record<string, LucideIcon> = {
  session: MonitorPlay,
  stream: Monitor,
  live: Monitor,
  user: LogIn,
  reset: LogIn,
  factor: Fingerprint,
  policy: Fingerprint,
  key: KeyRound,
  secrets: KeyRound,
  person: Users,
  group: Users,
  invitation: Users,
  organisation: Users,
  app: Boxes,
  provider: Boxes,
  forward: Boxes,
  account: Fingerprint,
  controller: Server,
  audit: FileClock,
}
const timeOf = (at: string) =>
  new Intl.DateTimeFormat(document.documentElement.lang || 'en', { timeStyle: 'short' }).format(new Date(at))

export function EntryWords({ row }: { row: AuditRow }) {
  const { who, before, thing, after } = sentenceOf(row)
  return (
    <>
      <strong>{who}</strong> {before}
      {thing && <strong>{thing}</strong>}
      {after}
    </>
  )
}

export function Entry({ row, onOpen }: { row: AuditRow; onOpen: () => void }) {
  const refused = isRefused(row)
  const Icon = refused ? CircleSlash : (ICONS[row.action.split('.')[0]?.split('-')[0] ?? ''] ?? FileClock)
  return (
    <button type="button" className={css.entry} data-refused={refused || undefined} onClick={onOpen}>
      <span className={css.icon} aria-hidden>
        <Icon />
      </span>
      <span className={css.words}>
        <span>
          <EntryWords row={row} />
        </span>
        <span className={css.from}>{placeOf(row)}</span>
      </span>
      <span className={css.state}>
        {refused && (
          <Badge tone="warn" icon={<CircleSlash aria-hidden />}>
            {reasonOf(row)}
          </Badge>
        )}
        {row.seal === null && <Badge tone="busy">{m.entryPending}</Badge>}
      </span>
      <time className={css.time} dateTime={row.at}>
        {timeOf(row.at)}
      </time>
    </button>
  )
}
