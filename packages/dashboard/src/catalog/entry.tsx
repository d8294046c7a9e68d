/** One template: a click on it starts it; the small button shows what it is. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { BadgeCheck, Boxes, Info, LoaderCircle, Play, Plus, TriangleAlert } from 'lucide-react'
import * as m from '../messages/index.ts'
import { IconButton } from '../ui/button.tsx'
import css from './launch.module.css'

interface EntryProps {
  entry: CatalogEntry
  busy: boolean
  onStart: () => void
  onDetails: () => void
}

export function Entry({ entry, busy, onStart, onDetails }: EntryProps) {
  const service = entry.kind === 'service'
  return (
    <li className={css.entry} data-busy={busy || undefined}>
      <img src={entry.icon} alt="" width="48" height="48" className={css.icon} />
      <div className={css.words}>
        <h2 className={css.name}>
          <button
            type="button"
            className={css.start}
            onClick={onStart}
            disabled={busy}
            aria-label={service ? m.installNamed(entry.name) : m.startNamed(entry.name)}
          >
            {entry.name}
          </button>
        </h2>
        <p className={css.summary}>{entry.summary}</p>
      </div>
      <div className={css.foot}>
        {service && (
          <span className={css.kind}>
            <Boxes aria-hidden />
            {m.launchServiceBadge}
          </span>
        )}
        {entry.deprecated ? (
          <span className={css.warn} title={entry.deprecated}>
            <TriangleAlert aria-hidden />
            {m.deprecated}
          </span>
        ) : entry.proved ? (
          <span className={css.proved} title={service ? m.provedServiceText : m.provedText}>
            <BadgeCheck aria-hidden />
            {m.proved}
          </span>
        ) : (
          <span className={css.unproved} title={service ? m.serviceUnproved : undefined}>
            {m.notProved}
          </span>
        )}
        <span className={css.go} aria-hidden>
          {busy ? <LoaderCircle /> : service ? <Plus /> : <Play />}
          {service ? m.install : m.start}
        </span>
        <span className={css.more}>
          <IconButton label={m.detailsOf(entry.name)} onPress={onDetails}>
            <Info aria-hidden />
          </IconButton>
        </span>
      </div>
    </li>
  )
}
