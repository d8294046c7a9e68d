/** A one-use link to hand over: as a picture for a phone beside this screen, and to copy. */
import type { HandedLink } from '@kalnet/contracts/people'
import { moment } from '../format.ts'
import * as m from '../messages/index.ts'
import { later } from '../ui/later.tsx'
import { CopyButton, Skeleton } from '../ui/parts.tsx'
import css from './people.module.css'

const QrCode = later(() => import('../ui/qr-code.tsx'), <Skeleton width="220px" height="220px" />)

/** Such an address leads nowhere from another device. */
const isOnlyHere = (url: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)

export function Handed({ link, label }: { link: HandedLink; label: string }) {
  return (
    <div className={css.handed}>
      <QrCode code={link.qr} label={m.qrLabel} />
      <div className={css.handedText}>
        <span className={css.quiet}>{label}</span>
        <code className={css.link} data-link>
          {link.url}
        </code>
        <CopyButton text={link.url} label={m.copyLink} />
        <p className={css.quiet}>{m.linkUntil(moment(link.expiresAt))}</p>
        {isOnlyHere(link.url) && <p className={css.quiet}>{m.linkOnlyHere}</p>}
      </div>
    </div>
  )
}
