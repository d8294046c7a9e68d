/** The fine tuning of an address: for whoever knows why. */
import * as m from '../messages/index.ts'
import { Choice, Switch } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'
import type { NumberName, PolicyForm } from './policy-form.ts'
import css from './routes.module.css'

interface TuningProps {
  form: PolicyForm
  problems: Partial<Record<NumberName, string>>
  onChange: (form: PolicyForm) => void
}
export function Tuning({ form, problems, onChange }: TuningProps) {
  const change = (some: Partial<PolicyForm>) => onChange({ ...form, ...some })
  const number = (name: NumberName, label: string, help?: string) => (
    <Field
      label={label}
      help={help}
      inputMode="decimal"
      maxLength={12}
      value={form[name]}
      onChange={(text) => change({ [name]: text })}
      problem={problems[name]}
    />
  )
  return (
    <div className={css.tuning}>
      <Choice
        label={m.routeBalance}
        value={form.balance}
        options={[
          { value: 'round-robin', label: m.balanceTurn },
          { value: 'least-connections', label: m.balanceLeast },
          { value: 'weighted', label: m.balanceWeight },
        ]}
        onChange={(balance) => change({ balance })}
      />
      <Switch label={m.routeStickyLabel} value={form.sticky} onChange={(sticky) => change({ sticky })} />
      <div className={css.numbers}>
        {number('canaryRelease', m.routeCanaryRelease)}
        {number('canaryPercent', m.routeCanaryPercent, m.routeCanaryHelp)}
      </div>
      <div className={css.numbers}>
        {number('connect', m.routeConnect)}
        {number('answer', m.routeAnswer)}
        {number('idle', m.routeIdle)}
        {number('attempts', m.routeAttempts)}
        {number('budget', m.routeBudget)}
      </div>
      <Switch label={m.routeBreakerLabel} value={form.breaker} onChange={(breaker) => change({ breaker })} />
      {form.breaker && (
        <div className={css.numbers}>
          {number('breakerPercent', m.routeBreakerPercent)}
          {number('breakerRequests', m.routeBreakerRequests)}
          {number('breakerSeconds', m.routeBreakerSeconds)}
        </div>
      )}
      <Switch label={m.routeRateLabel} value={form.rate} onChange={(rate) => change({ rate })} />
      {form.rate && (
        <>
          <div className={css.numbers}>
            {number('ratePerSecond', m.routeRatePerSecond)}
            {number('rateBurst', m.routeRateBurst)}
          </div>
          <Choice
            label={m.routeRateBy}
            value={form.rateBy}
            options={[
              { value: 'client', label: m.routeRateClient },
              { value: 'route', label: m.routeRateRoute },
            ]}
            onChange={(rateBy) => change({ rateBy })}
          />
        </>
      )}
      <Switch
        label={m.routeHeadersLabel}
        value={form.safetyHeaders}
        onChange={(safetyHeaders) => change({ safetyHeaders })}
      />
    </div>
  )
}
