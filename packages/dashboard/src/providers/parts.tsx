/** Small pieces of the provider screens: values to copy, the result of a test. */
import type { Provider, ProviderCheck } from '@kalnet/contracts/federation'
import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react'
import * as m from '../messages/index.ts'
import { CopyButton } from '../ui/parts.tsx'
import css from './providers.module.css'

const PICTURES = { good: CircleCheck, warning: TriangleAlert, bad: CircleAlert }

export function CheckList({ check }: { check: ProviderCheck }) {
  return (
    <ul className={css.checks} aria-live="polite">
      {check.checks.map(({ what, state, text }) => {
        const Picture = PICTURES[state]
        return (
          <li key={what}>
            <Picture className={css[state]} aria-hidden />
            <strong>{what}</strong>
            <p>{text}</p>
          </li>
        )
      })}
    </ul>
  )
}

/** What the provider's own settings want to know of us. */
export function Values({ provider }: { provider: Provider }) {
  const values =
    provider.kind === 'openid'
      ? [
          [m.providerCallback, provider.callbackUrl],
          [m.providerBackchannel, provider.backchannelLogoutUrl],
        ]
      : [
          [m.providerOurMetadata, provider.ourMetadataUrl],
          [m.providerAcs, provider.acsUrl],
        ]
  return (
    <dl className={css.values}>
      {values.map(([label = '', text = '']) => (
        <div key={label} className={css.value}>
          <dt>{label}</dt>
          <dd>
            <code>{text}</code>
            <CopyButton text={text} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
