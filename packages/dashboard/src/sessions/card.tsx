/** One session as a card: its live picture, its name, its state; a click opens its screen. */
import type { Session } from '@kalnet/contracts/session'
import { Info, Moon, Square, Sun, Trash2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { useWake } from './actions.ts'
import css from './card.module.css'
import type { Ending } from './confirm-stop.tsx'
import { keptWords } from './kept.ts'
import { useThumbnail } from './use-thumbnail.ts'
import { isStarting, progressWords, StateBadge } from './words.tsx'

const ConfirmEnding = later(() => import('./confirm-stop.tsx'))
export const iconOf = (templateId: string) => `/api/templates/${templateId}/icon`

export function SessionCard({ session, mine }: { session: Session; mine: boolean }) {
  const place = useRef<HTMLElement>(null)
  const [, go] = useLocation()
  const [ending, setEnding] = useState<Ending | null>(null)
  const wake = useWake()
  const asleep = session.state === 'hibernated'
  const running = session.state === 'running' && session.reachable
  const picture = useThumbnail(session.id, running && mine, place)
  const waiting = isStarting(session.state)
  return (
    <article ref={place} className={css.card} aria-label={session.name}>
      <div className={css.screen} data-dim={!running || undefined}>
        {picture && !asleep ? (
          <img className={css.picture} src={picture} alt="" />
        ) : (
          <img className={css.icon} src={iconOf(session.templateId)} alt="" width="56" height="56" />
        )}
        {waiting && <p className={css.progress}>{progressWords(session)}</p>}
        {asleep && (
          <p className={css.progress}>
            {session.reason ?? m.sleeping} {keptWords(session)}
          </p>
        )}
      </div>
      <div className={css.foot}>
        <div className={css.words}>
          <h3>
            <Link href={mine ? `/s/${session.id}` : `/sessions/${session.id}`} className={css.open}>
              {session.name}
            </Link>
          </h3>
          <p>
            {!mine && <>{m.belongsTo(session.userName)} · </>}
            {session.name !== session.templateName && <>{session.templateName} · </>}
            <Ago at={session.createdAt} />
          </p>
        </div>
        <StateBadge session={session} />
      </div>
      <div className={css.actions}>
        <IconButton label={m.detailsOf(session.name)} onPress={() => go(`/sessions/${session.id}`)}>
          <Info aria-hidden />
        </IconButton>
        {asleep ? (
          <>
            <IconButton
              label={`${m.wakeUp}: ${session.name}`}
              isPending={wake.isPending}
              onPress={() => wake.mutate(session, { onSuccess: () => mine && go(`/s/${session.id}`) })}
            >
              <Sun aria-hidden />
            </IconButton>
            <IconButton label={`${m.deleteForGood}: ${session.name}`} onPress={() => setEnding('delete')}>
              <Trash2 aria-hidden />
            </IconButton>
          </>
        ) : (
          <>
            {session.keepsHome && (
              <IconButton
                label={`${m.putToSleep}: ${session.name}`}
                isDisabled={session.state !== 'running'}
                onPress={() => setEnding('sleep')}
              >
                <Moon aria-hidden />
              </IconButton>
            )}
            <IconButton
              label={`${m.stop}: ${session.name}`}
              isDisabled={session.state === 'stopping'}
              onPress={() => setEnding('stop')}
            >
              <Square aria-hidden />
            </IconButton>
          </>
        )}
      </div>
      {ending && <ConfirmEnding session={session} ending={ending} onClose={() => setEnding(null)} />}
    </article>
  )
}
