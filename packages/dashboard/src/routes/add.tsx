/** A new address: what people type or dial, and which service it leads to. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { servicesQuery } from '../services/queries.ts'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Select } from '../ui/select.tsx'
import { toast } from '../ui/toast.ts'
import { EMPTY, matchOf, type Problems, problemsOf } from './new-route.ts'
import { NEW_PASS, PassFields, passOf } from './pass.tsx'
import css from './routes.module.css'

interface AddProps {
  /** Given: it is about this one. */
  service?: string
  onClose: () => void
}
export default function Add({ service, onClose }: AddProps) {
  const services = useQuery(servicesQuery).data?.items ?? []
  const [chosen, setChosen] = useState(service ?? '')
  const [form, setForm] = useState(EMPTY)
  const [pass, setPass] = useState(NEW_PASS)
  const [tried, setTried] = useState(false)
  const serviceId = chosen || (services[0]?.id ?? '')
  const http = form.kind === 'http'
  const problems: Problems = tried ? problemsOf(form) : {}
  const change = (some: Partial<typeof form>) => setForm({ ...form, ...some })
  const add = useMutation({
    mutationFn: () =>
      call(ROUTES.gateway.add, {
        body: { serviceId, port: form.port.trim(), match: matchOf(form), ...passOf(pass, http) },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['routes'] })
      await queryClient.invalidateQueries({ queryKey: ['services'] })
      toast({ tone: 'good', text: m.routeAdded })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (Object.keys(problemsOf(form)).length === 0) add.mutate()
  }
  return (
    <Dialog title={m.routeAdd} onClose={onClose} place="side">
      {!service && services.length === 0 && <DialogText>{m.routesNoService}</DialogText>}
      <form className={css.form} onSubmit={submit} noValidate>
        {add.error && <ErrorBox problem={add.error} />}
        <Choice
          label={m.routeKind}
          value={form.kind}
          options={[
            { value: 'http', label: m.routeKindHttp },
            { value: 'tcp', label: m.routeKindTcp },
            { value: 'udp', label: m.routeKindUdp },
          ]}
          onChange={(kind) => change({ kind })}
        />
        {http ? (
          <>
            <Field
              label={m.routeHost}
              placeholder={m.routeHostExample}
              maxLength={253}
              value={form.host}
              onChange={(host) => change({ host })}
              problem={problems.host}
            />
            <Field
              label={m.routePath}
              help={m.routePathHelp}
              maxLength={200}
              value={form.path}
              onChange={(path) => change({ path })}
              problem={problems.path}
            />
            {form.path !== '/' && (
              <Switch label={m.routeStrip} value={form.strip} onChange={(strip) => change({ strip })} />
            )}
          </>
        ) : (
          <Field
            label={m.routeListen}
            inputMode="numeric"
            maxLength={5}
            value={form.listen}
            onChange={(listen) => change({ listen })}
            problem={problems.listen}
          />
        )}
        {form.kind === 'tcp' && (
          <Field
            label={m.routeSniLabel}
            help={m.routeSniHelp}
            maxLength={253}
            value={form.sni}
            onChange={(sni) => change({ sni })}
            problem={problems.sni}
          />
        )}
        {!service && services.length > 0 && (
          <Select
            label={m.routeService}
            value={serviceId}
            options={services.map(({ id, title }) => ({ value: id, label: title }))}
            onChange={setChosen}
          />
        )}
        <Field
          label={m.routeServicePort}
          help={m.routeServicePortHelp}
          maxLength={63}
          value={form.port}
          onChange={(port) => change({ port })}
          problem={problems.port}
        />
        <PassFields value={pass} http={http} onChange={setPass} />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={add.isPending} isDisabled={!serviceId}>
            {m.routeAdd}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
