/** The house's own authority: what it is for, its fingerprint, the way to set up a device. */
import { useQuery } from '@tanstack/react-query'
import { ShieldCheck, Smartphone } from 'lucide-react'
import * as m from '../messages/index.ts'
import { LinkButton } from '../ui/button.tsx'
import { Card, CopyButton, Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './certificates.module.css'
import { authorityQuery } from './queries.ts'
import { day } from './words.tsx'

export function OwnAuthority() {
  const { data, error, isPending, refetch } = useQuery(authorityQuery)
  const it = data?.authority
  return (
    <section className={css.section} aria-label={m.authorityTitle}>
      <div className={css.head}>
        <div>
          <h2>{m.authorityTitle}</h2>
          <p className={css.quiet}>{m.authorityText}</p>
        </div>
        {it && (
          <LinkButton href="/trust" look="primary" icon={<Smartphone aria-hidden />}>
            {m.authorityDevices}
          </LinkButton>
        )}
      </div>
      {isPending && <Skeleton height="110px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && !it && (
        <Empty icon={<ShieldCheck aria-hidden />} title={m.authorityNone} text={m.authorityNoneText} />
      )}
      {it && (
        <Card label={it.name}>
          <dl className={css.facts}>
            <div>
              <dt>{it.name}</dt>
              <dd>
                {m.authorityUntil} {day(it.notAfter)}
              </dd>
            </div>
            <div>
              <dt>{m.certFingerprint}</dt>
              <dd className={css.print}>
                <code>{it.fingerprint}</code>
                <CopyButton text={it.fingerprint} />
              </dd>
            </div>
          </dl>
        </Card>
      )}
    </section>
  )
}
