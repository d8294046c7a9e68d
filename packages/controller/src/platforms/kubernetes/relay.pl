# Runs inside an instance for its controller, over the input and output of `exec`: the ways that no forwarded port leads.
#   unix PATH           bytes to and from a socket
#   udp PORT            datagrams, each with its length in front (two bytes, big endian)
#   listen NAME=HOST:PORT …   connections made inside, all in one stream of frames: number (4), kind (1), length (4), bytes
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
$SIG{PIPE} = 'IGNORE';
binmode STDIN;
binmode STDOUT;
my $mode = shift @ARGV // '';

sub say_all {
  my ($to, $bytes) = @_;
  my $at = 0;
  while ($at < length $bytes) {
    my $sent = syswrite $to, $bytes, length($bytes) - $at, $at;
    exit 0 unless defined $sent;
    $at += $sent;
  }
}
sub problem { print STDERR "$_[0]\n"; exit 3 }

if ($mode eq 'unix') {
  my $path = shift @ARGV;
  problem("it is not a socket") if -l $path or (-e $path and !-S $path);
  my $socket = IO::Socket::UNIX->new(Peer => $path) or problem("nobody listens at $path yet");
  my %other = (fileno(STDIN) => [\*STDIN, $socket], fileno($socket) => [$socket, \*STDOUT]);
  while (1) {
    my $bits = '';
    vec($bits, $_, 1) = 1 for keys %other;
    select $bits, undef, undef, undef;
    for my $number (keys %other) {
      next unless vec $bits, $number, 1;
      my ($from, $to) = @{ $other{$number} };
      my $count = sysread $from, my $bytes, 65536;
      if (!$count) {
        exit 0 if $from == $socket;
        shutdown $socket, 1;
        delete $other{$number};
        next;
      }
      say_all($to, $bytes);
    }
  }
}

if ($mode eq 'udp') {
  my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1', PeerPort => shift @ARGV) or problem("no datagrams: $!");
  my $waiting = '';
  while (1) {
    my $bits = '';
    vec($bits, fileno $_, 1) = 1 for \*STDIN, $socket;
    select $bits, undef, undef, undef;
    if (vec $bits, fileno STDIN, 1) {
      sysread STDIN, $waiting, 65536, length $waiting or exit 0;
      while (length $waiting >= 2) {
        my $length = unpack 'n', $waiting;
        last if length $waiting < 2 + $length;
        # Refused or not: a datagram that nobody takes is lost.
        send $socket, substr($waiting, 2, $length), 0;
        substr($waiting, 0, 2 + $length) = '';
      }
    }
    if (vec $bits, fileno $socket, 1) {
      say_all(\*STDOUT, pack('n', length $_) . $_) for grep { defined } do { my $got; defined recv($socket, $got, 65535, 0) ? $got : undef };
    }
  }
}

if ($mode eq 'listen') {
  my ($DATA, $END, $BREAK, $NEW, $READY) = (0, 1, 2, 3, 4);
  my (%listening, %open, %numbers, $next);
  for (@ARGV) {
    my ($name, $host, $port) = /^([^=]+)=([^:]+):(\d+)$/ or problem("what is $_?");
    my $socket = IO::Socket::INET->new(Listen => 64, ReuseAddr => 1, LocalAddr => $host, LocalPort => $port) or problem($!{EADDRINUSE} ? "its place is taken" : "its place cannot be had: $!");
    $listening{ fileno $socket } = [$socket, $name];
  }
  my $frame = sub { say_all(\*STDOUT, pack('NCN', $_[0], $_[1], length($_[2] // '')) . ($_[2] // '')) };
  my $close = sub {
    my $it = delete $open{ $_[0] } or return;
    delete $numbers{ fileno $it->{socket} };
    close $it->{socket};
  };
  # A half that is over stays so; when both are, it is closed.
  my $settle = sub { my $it = $open{ $_[0] }; $close->($_[0]) if $it and $it->{read} and $it->{written} };
  $frame->(0, $READY);
  my $waiting = '';
  while (1) {
    my ($reads, $writes, $held) = ('', '', 0);
    vec($reads, $_, 1) = 1 for keys %listening;
    for my $number (keys %open) {
      my $it = $open{$number};
      vec($reads, fileno $it->{socket}, 1) = 1 unless $it->{read};
      vec($writes, fileno $it->{socket}, 1) = 1 if length $it->{out};
      $held += length $it->{out};
    }
    # Nobody reads inside: what comes from outside waits there.
    vec($reads, fileno STDIN, 1) = 1 if $held < 1048576;
    select $reads, $writes, undef, undef;
    for my $at (keys %listening) {
      next unless vec $reads, $at, 1;
      my ($socket, $name) = @{ $listening{$at} };
      my $made = $socket->accept or next;
      $made->blocking(0);
      my $number = ++$next;
      $open{$number} = { socket => $made, out => '' };
      $numbers{ fileno $made } = $number;
      $frame->($number, $NEW, $name);
    }
    for my $number (keys %open) {
      my $it = $open{$number} or next;
      my $at = fileno $it->{socket};
      if (vec $writes, $at, 1) {
        my $sent = syswrite $it->{socket}, $it->{out};
        if (defined $sent) { substr($it->{out}, 0, $sent) = '' }
        elsif (!$!{EAGAIN}) { $frame->($number, $BREAK); $close->($number); next }
        if (!length $it->{out} and $it->{ending}) { shutdown $it->{socket}, 1; $it->{written} = 1 }
      }
      if (vec $reads, $at, 1) {
        my $count = sysread $it->{socket}, my $bytes, 65536;
        if ($count) { $frame->($number, $DATA, $bytes) }
        elsif (defined $count) { $it->{read} = 1; $frame->($number, $END) }
        elsif (!$!{EAGAIN}) { $frame->($number, $BREAK); $close->($number); next }
      }
      $settle->($number);
    }
    if (vec $reads, fileno STDIN, 1) {
      sysread STDIN, $waiting, 262144, length $waiting or exit 0;
      while (length $waiting >= 9) {
        my ($number, $kind, $length) = unpack 'NCN', $waiting;
        last if length $waiting < 9 + $length;
        my $bytes = substr $waiting, 9, $length;
        substr($waiting, 0, 9 + $length) = '';
        my $it = $open{$number} or next;
        if ($kind == $DATA) { $it->{out} .= $bytes }
        elsif ($kind == $BREAK) { setsockopt $it->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0); $close->($number) }
        elsif ($kind == $END) {
          $it->{ending} = 1;
          if (!length $it->{out}) { shutdown $it->{socket}, 1; $it->{written} = 1; $settle->($number) }
        }
      }
    }
  }
}
problem("what is $mode?");
