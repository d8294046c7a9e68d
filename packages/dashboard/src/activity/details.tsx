/** One entry in full: in words, then as it is stored, with its seal. */
import type { AuditRow } from '@kalnet/contracts/audit'
import { exactly } from '../format.ts'
import * as m from '../messages/index.ts'
import settings from '../settings/settings.module.css'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { CopyButton } from '../ui/parts.tsx'
import css from './activity.module.css'
import { EntryWords } from './entry.tsx'
import { isRefused, reasonOf, whoOf } from './sentence.ts'

interface DetailsProps {
  row: AuditRow
  onClose: () => void
  /** Only for those who see what others do. */
  onlyActor?: (() => void) | undefined
  onlyThing?: (() => void) | undefined
}

export default function Details({ row, onClose, onlyActor, onlyThing }: DetailsProps) {
  const facts: [string, React.ReactNode][] = [
    [
      m.entryOutcome,
      isRefused(row) ? <Badge tone="warn">{reasonOf(row)}</Badge> : <Badge tone="good">{m.entryDone}</Badge>,
    ],
    [m.entryWhen, exactly(row.at)],
    [m.entryWho, whoOf(row)],
    [m.entryFrom, row.address === 'local' ? m.activityHere : row.address],
    [m.entryAction, <code key="action">{row.action}</code>],
    ...(row.object === null ? [] : [[m.entryThing, row.objectName ?? row.object] as [string, string]]),
    ...Object.entries(row.details).map(([name, value]) => [name, String(value)] as [string, string]),
    [
      m.entryPlace,
      row.seal ? (
        row.seal.position
      ) : (
        <Badge key="place" tone="busy">
          {m.entryPending}
        </Badge>
      ),
    ],
    ...(row.seal
      ? [[m.entryHash, <code key="hash">{row.seal.hash}</code>] as [string, React.ReactNode]]
      : []),
    [m.entryRequest, <code key="request">{row.requestId}</code>],
  ]
  const raw = JSON.stringify(row, null, 2)
  return (
    <Dialog title={m.entryTitle} place="side" onClose={onClose}>
      <p>
        <EntryWords row={row} />
      </p>
      <dl className={settings.facts}>
        {facts.map(([name, value]) => (
          <div key={name} className={css.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details className={css.raw}>
        <summary>{m.entryRaw}</summary>
        <pre>{raw}</pre>
        <CopyButton text={raw} />
      </details>
      <DialogActions>
        {onlyThing && <Button onPress={onlyThing}>{m.entryAboutThing}</Button>}
        {onlyActor && <Button onPress={onlyActor}>{m.entryByActor}</Button>}
      </DialogActions>
    </Dialog>
  )
}
