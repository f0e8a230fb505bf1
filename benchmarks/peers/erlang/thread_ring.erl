%% Processes in a ring pass one token on.
-module(thread_ring).
-export([start/0]).

-define(NODES, 503).

start() ->
    Hops = stage:start_clock(stage:scaled(5000000)),
    Nodes = [spawn_link(fun() -> node(Index, Hops rem ?NODES) end)
             || Index <- lists:seq(0, ?NODES - 1)],
    [First | Others] = Nodes,
    lists:foreach(fun({Node, Next}) -> Node ! {neighbour, Next} end,
                  lists:zip(Nodes, Others ++ [First])),
    First ! {token, Hops}.

node(Index, LastIndex) ->
    receive {neighbour, Next} -> pass(Next, Index, LastIndex) end.

pass(Next, Index, LastIndex) ->
    receive
        {token, 0} ->
            Index = LastIndex,
            stage:finish();
        {token, HopsLeft} ->
            Next ! {token, HopsLeft - 1},
            pass(Next, Index, LastIndex)
    end.
