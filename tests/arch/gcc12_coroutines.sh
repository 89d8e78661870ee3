#!/usr/bin/env bash
# GCC 12.2 miscompiles some coroutine expressions: a temporary aggregate or capturing lambda inside a co_await expression is
# destroyed twice, `switch (co_await x)` jumps wrongly, `Agg{..., co_await x()}` is used after its end. The rule: name the
# value first, then std::move it in; await into a local before a switch. See docs/decisions/0002-gcc12-coroutines.md.
#
# usage: gcc12_coroutines.sh ROOT     checks every .cpp and .hpp of the tree
#        gcc12_coroutines.sh --files FILE...   checks these (its own test uses it)
set -euo pipefail

# shellcheck disable=SC2016  # the $ are Perl's
readonly CHECK='
  use strict; use warnings;
  my $bad = 0;
  sub report {
    my ($file, $text, $at, $why) = @_;
    my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
    print "$file:$line: $why\n"; $bad = 1;
  }
  # The text with comments and literals blanked out, every other character and every newline in its place.
  sub bare {
    my ($t) = @_;
    $t =~ s{(R"([^()\\\s]{0,16})\(.*?\)\g2")|(//[^\n]*)|(/\*.*?\*/)|("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])\x27)}
           {my $m = $&; $m =~ s/[^\n]/ /g; $m =~ s/^ (.*) $/"$1"/s if defined $1 || defined $5; $m}gesx;
    # A duration is no aggregate and has nothing to destroy: seconds{1} is as good as seconds(1).
    $t =~ s/\b((?:(?:nano|micro|milli)?seconds|minutes|hours|days))\{([^{}]*)\}/$1($2)/g;
    return $t;
  }
  my %closes = ("(" => ")", "{" => "}", "[" => "]");
  # The end of the expression that starts at $from: the ";" of its statement, or the bracket that encloses it.
  sub expression_end {
    my ($t, $from) = @_;
    my @open; my $n = length $t;
    for (my $i = $from; $i < $n; $i++) {
      my $c = substr($t, $i, 1);
      if ($closes{$c}) { push @open, $c }
      elsif ($c =~ /[)}\]]/) { return $i if !@open; pop @open }
      elsif ($c eq ";" && !@open) { return $i }
      elsif ($c eq "," && !@open) { return $i }
    }
    return $n;
  }
  my $name = qr/[A-Za-z_][\w]*(?:::[A-Za-z_]\w*)*/;
  for my $file (@ARGV) {
    open my $in, "<", $file or die "$file: $!\n";
    my $t = do { local $/; bare(scalar <$in>) };
    while ($t =~ /\bco_await\b/g) {
      my $at = $-[0];
      my $body = substr($t, $+[0], expression_end($t, $+[0]) - $+[0]);
      # An argument or operand that is a braced temporary: f(Agg{...}), f({...}), f(std::vector<T>{...}).
      # `{` after `)` or a lambda header opens a body, not a temporary.
      while ($body =~ /(?:[(,?:]\s*(?:$name\s*(?:<[^;{}()]*>)?\s*)?)\{/g) {
        report($file, $t, $at, "a braced temporary inside a co_await expression. Name the value first, then std::move it.");
        last;
      }
      if ($body =~ /^\s*$name\s*(?:<[^;{}()]*>)?\s*\{/) {
        report($file, $t, $at, "co_await of a braced temporary. Name the value first.");
      }
      while ($body =~ /(?<![\w\])])\[([^\[\]]*)\]\s*(?:\(|\{|mutable\b|<)/g) {
        next if $1 =~ /^\s*$/;
        report($file, $t, $at, "a capturing lambda inside a co_await expression. Name the lambda first, then std::move it.");
        last;
      }
      my $before = substr($t, 0, $at);
      report($file, $t, $at, "switch on co_await. Await into a local, then switch on it.") if $before =~ /\bswitch\s*\(\s*\z/;
      # Is the innermost open bracket before this co_await an initialiser brace?
      my $depth = 0; my $i = $at - 1;
      for (; $i >= 0; $i--) {
        my $c = substr($t, $i, 1);
        if ($c =~ /[)}\]]/) { $depth++ }
        elsif ($c =~ /[({\[]/) { last if $depth == 0; $depth-- }
        elsif ($c eq ";" && $depth == 0) { $i = -1; last }
      }
      # climb out of parentheses: Agg{f(co_await x())} is the same form
      while ($i >= 0 && substr($t, $i, 1) =~ /[(\[]/) {
        $depth = 0;
        for ($i--; $i >= 0; $i--) {
          my $c = substr($t, $i, 1);
          if ($c =~ /[)}\]]/) { $depth++ }
          elsif ($c =~ /[({\[]/) { last if $depth == 0; $depth-- }
          elsif ($c eq ";" && $depth == 0) { $i = -1; last }
        }
      }
      if ($i >= 0 && substr($t, $i, 1) eq "{") {
        my $lead = substr($t, 0, $i);
        # A block follows ), else, try, do, const, noexcept, a return type or another brace; anything else is a value.
        if ($lead =~ /(?:\breturn|\bco_return|[=(,]|[\w>])\s*\z/
            && $lead !~ /(?:\)|\belse|\btry|\bdo|\bconst|\bnoexcept|\boverride|\bmutable|->\s*[\w:<>, *&]+)\s*\z/) {
          report($file, $t, $at, "co_await inside a braced initialiser. Await into a local first.");
        }
      }
    }
    while ($t =~ /\bco_spawn\s*\(/g) {
      my $at = $-[0];
      my $body = substr($t, $+[0], expression_end_all($t, $+[0]) - $+[0]);
      while ($body =~ /(?<![\w\])])\[([^\[\]]*)\]\s*(?:\([^)]*\)|\{|mutable\b|<|->)/g) {
        my ($captures, $after) = ($1, substr($body, $+[0]));
        next if $captures =~ /^\s*$/;
        my $stop = index($after, "co_");
        # a completion handler has no co_ in it; a coroutine lambda does
        next if $stop < 0;
        report($file, $t, $at, "co_spawn of a capturing lambda coroutine: its captures die first. Use a function with parameters by value.");
        last;
      }
    }
  }
  sub expression_end_all {
    my ($t, $from) = @_;
    my $depth = 0;
    for (my $i = $from; $i < length $t; $i++) {
      my $c = substr($t, $i, 1);
      if ($c =~ /[({\[]/) { $depth++ }
      elsif ($c =~ /[)}\]]/) { return $i if $depth-- == 0 }
    }
    return length $t;
  }
  exit $bad;
'

if [ "${1:-}" = --files ]; then
  shift
  exec perl -e "$CHECK" -- "$@"
fi
root=${1:?usage: gcc12_coroutines.sh ROOT}
cd "$root"
files=()
for room in common probes agent collector cli tests tools; do
  [ ! -d "$room" ] || mapfile -t -O ${#files[@]} files < <(find "$room" \( -name '*.cpp' -o -name '*.hpp' \) -not -path 'tests/arch/snippets/*' | sort)
done
perl -e "$CHECK" -- "${files[@]}"
