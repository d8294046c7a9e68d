/** `/trust`, for whoever stands before the door, too: how each device is told to trust this house. */

import { ROUTES } from 'virtual:contracts'
import type { TrustDevice } from '@kalnet/contracts/certificate'
import { useQuery } from '@tanstack/react-query'
import { Download, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { Mark } from '../shell/mark.tsx'
import { useTitle } from '../shell/use-title.ts'
import button from '../ui/button.module.css'
import { Choice } from '../ui/choice.tsx'
import { classes } from '../ui/classes.ts'
import { later } from '../ui/later.tsx'
import { Card, CopyButton, Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './certificates.module.css'
import { DEVICES, deviceOf, FORMS } from './devices.ts'
import { authorityQuery } from './queries.ts'

const QrCode = later(() => import('../ui/qr-code.tsx'), <Skeleton height="132px" />)

function Help({ device }: { device: TrustDevice }) {
  return (
    <>
      <div>
        <a
          className={classes(button.button, button.primary)}
          href={ROUTES.certificates.authorityFile.path.replace(':form', FORMS[device])}
          download
        >
          <Download aria-hidden />
          {m.trustDownload}
        </a>
      </div>
      <ol className={css.steps}>
        {m.trustSteps[device].map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </>
  )
}

export default function Trust() {
  useTitle(m.trustTitle)
  const { data, error, isPending, refetch } = useQuery(authorityQuery)
  const [device, setDevice] = useState<TrustDevice>(() =>
    deviceOf(navigator.userAgent, navigator.maxTouchPoints),
  )
  const it = data?.authority
  return (
    <main className={css.trust}>
      <Link href="/" className={css.brand}>
        <span aria-hidden className={css.mark}>
          <Mark />
        </span>
        {m.trustBack}
      </Link>
      <div>
        <h1>{m.trustTitle}</h1>
        <p className={css.sub}>{m.trustText}</p>
      </div>
      {isPending && <Skeleton height="300px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && !it && <Empty icon={<ShieldCheck aria-hidden />} title={m.trustNone} text={m.trustNoneText} />}
      {it && (
        <>
          <Choice
            label={m.trustDevice}
            value={device}
            options={DEVICES.map((value) => ({ value, label: m.trustDevices[value] }))}
            onChange={setDevice}
          />
          <Card label={m.trustDevices[device]}>
            <div className={css.section}>
              <Help device={device} />
            </div>
          </Card>
          <section className={css.section}>
            <div>
              <h2>{m.trustCompare}</h2>
              <p className={css.quiet}>{m.trustCompareText}</p>
            </div>
            <div className={css.print}>
              <code>{it.fingerprint}</code>
              <CopyButton text={it.fingerprint} />
            </div>
          </section>
          {data.page && (
            <section className={css.phone} aria-label={m.trustPhone}>
              <QrCode code={data.page.code} label={m.trustQr} />
              <div>
                <h2>{m.trustPhone}</h2>
                <p className={css.quiet}>{m.trustPhoneText}</p>
                <p className={css.quiet}>{data.page.url}</p>
              </div>
            </section>
          )}
        </>
      )}
    </main>
  )
}
