/** A certificate's state and the time it has left, in words, icons and tones. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { Ban, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import * as m from '../messages/index.ts'
import { Badge, type Tone } from '../ui/badge.tsx'

const LOOKS: Record<Certificate['state'], { tone: Tone; icon?: ReactNode }> = {
  ordering: { tone: 'busy' },
  valid: { tone: 'good', icon: <ShieldCheck aria-hidden /> },
  expiring: { tone: 'warn' },
  expired: { tone: 'bad' },
  failed: { tone: 'bad' },
  revoked: { tone: 'quiet', icon: <Ban aria-hidden /> },
}
export function CertificateBadge({ state }: Pick<Certificate, 'state'>) {
  const { tone, icon } = LOOKS[state]
  return (
    <Badge tone={tone} icon={icon}>
      {m.certStates[state]}
    </Badge>
  )
}

/** Whole days; below nothing: it has ended. */
export const daysLeft = (notAfter: string, now: number) =>
  Math.floor((Date.parse(notAfter) - now) / 86_400_000)
export const day = (at: string) =>
  new Intl.DateTimeFormat(document.documentElement.lang || 'en', { dateStyle: 'medium' }).format(new Date(at))
/** "photos.example.org and 2 more" has no place in a title: the first name stands for all. */
export const nameOf = (it: Pick<Certificate, 'names'>) => it.names[0] ?? ''
