/** The part of the error table that is about services, addresses and certificates. */
import { type ErrorEntry, entry } from './error-entry.ts'

export const SERVICE_ERRORS = {
  'service.name-taken': entry(409, 'There is a service called {name} already.', 'Choose another name.'),
  'service.state': entry(
    409,
    'The service is {state}; that is not possible now.',
    'Wait for it, then try again.',
  ),
  'service.not-managed': entry(
    409,
    '{name} is not run by Kalnet.',
    'Change it where it runs; here it can only be taken off the list.',
  ),
  'service.replicas': entry(
    422,
    '{name} runs at most {most} times at once.',
    'Choose fewer; it keeps its data in one place.',
  ),
  'service.dependency': entry(422, 'What it depends on does not fit: {problem}.', 'Choose another service.'),
  'service.needed': entry(409, '{name} is used by {by}.', 'Remove or change that first.'),
  'registration.unknown': entry(404, 'This registration has run out or never was.', 'Register again.'),
  'gateway-route.taken': entry(
    409,
    '{match} leads to {name} already.',
    'Change or remove that route, or choose another address.',
  ),
  'gateway-route.invalid': entry(422, 'This route cannot be: {problem}.', 'Correct it and try again.'),
  'gateway-route.unknown': entry(
    404,
    'Nothing of ours is at {host}.',
    'Check the address, or open the dashboard to see what there is.',
  ),
  'gateway.no-instance': entry(
    503,
    '{name} is not there at the moment.',
    'Wait a little; it comes back by itself, or whoever looks after it is told.',
  ),
  'gateway.unreachable': entry(
    502,
    '{name} did not answer: {problem}.',
    'Try again; if it stays, look at the page of the service.',
  ),
  'gateway.late': entry(
    504,
    '{name} took too long to answer.',
    'Try again; if it stays, look at the page of the service.',
  ),
  'gateway.open-breaker': entry(
    503,
    '{name} has trouble and is left alone for {seconds} seconds.',
    'Wait a little and try again.',
  ),
  'gateway.away': entry(
    503,
    'Whether you may pass cannot be asked at the moment.',
    'Wait a little and try again; it comes back by itself.',
  ),
  'forward-route.of-service': entry(
    409,
    'This address belongs to {name}.',
    'Change it on the page of that service.',
  ),
  'port.taken': entry(
    409,
    'Port {port} is held by {holder}.',
    'Stop that program, or take a free one: {free}.',
  ),
  'certificate.invalid': entry(
    422,
    'This certificate cannot be used: {problem}.',
    'Correct it and try again.',
  ),
  'certificate.order': entry(
    502,
    'The certificate was not given: {problem}.',
    'Correct what is said and try again.',
  ),
} satisfies Record<string, ErrorEntry>
